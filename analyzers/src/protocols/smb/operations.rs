//! Names of DCE/RPC operations that hunters look for, by interface and number.
//!
//! Sources: MS-SCMR 3.1.4, MS-TSCH 3.2.5, MS-WMI 3.1.4.3, MS-DRSR 4.1, MS-SAMR 3.1.5, MS-LSAD and
//! MS-LSAT 3.1.4, MS-SRVS 3.1.4, MS-WKST 3.2.4, MS-RRP 3.1.5, MS-NRPC 3.5.4, MS-RPRN 3.1.4,
//! MS-PAR 3.1.4, MS-EFSR 3.1.4.2, MS-BKRP 3.1.4, MS-DFSNM 3.1.4, MS-EVEN 3.1.4, MS-RSP 3.1.4,
//! MS-FSRVP 3.1.4, C706 appendix O. The number alone stands in a row where an operation is not
//! here.

/// The operation's name.
pub(super) fn name(interface: &[u8], opnum: u16) -> Option<&'static str> {
    let (_, operations) = OPERATIONS.iter().find(|(name, _)| name.as_bytes() == interface)?;
    operations.iter().find(|(number, _)| *number == opnum).map(|(_, name)| *name)
}

/// Operations of one interface, by its name or UUID as a row has it.
type Operations = (&'static str, &'static [(u16, &'static str)]);

#[rustfmt::skip] // One interface a paragraph reads better than one operation a line.
const OPERATIONS: &[Operations] = &[
    ("svcctl", &[
        (0, "CloseServiceHandle"), (1, "ControlService"), (2, "DeleteService"),
        (6, "QueryServiceStatus"), (11, "ChangeServiceConfigW"), (12, "CreateServiceW"),
        (14, "EnumServicesStatusW"), (15, "OpenSCManagerW"), (16, "OpenServiceW"),
        (17, "QueryServiceConfigW"), (19, "StartServiceW"), (23, "ChangeServiceConfigA"),
        (24, "CreateServiceA"), (26, "EnumServicesStatusA"), (27, "OpenSCManagerA"),
        (28, "OpenServiceA"), (31, "StartServiceA"), (37, "ChangeServiceConfig2W"),
        (42, "EnumServicesStatusExW"), (44, "CreateServiceWOW64A"), (45, "CreateServiceWOW64W"),
    ]),
    ("atsvc", &[(0, "JobAdd"), (1, "JobDel"), (2, "JobEnum"), (3, "JobGetInfo")]),
    ("itaskschedulerservice", &[
        (0, "SchRpcHighestVersion"), (1, "SchRpcRegisterTask"), (2, "SchRpcRetrieveTask"),
        (3, "SchRpcCreateFolder"), (4, "SchRpcSetSecurity"), (6, "SchRpcEnumFolders"),
        (7, "SchRpcEnumTasks"), (11, "SchRpcStop"), (12, "SchRpcRun"), (13, "SchRpcDelete"),
        (14, "SchRpcRename"),
    ]),
    ("sasec", &[(0, "SASetAccountInformation"), (1, "SASetNSAccountInformation")]),
    // IWbemServices.
    ("9556dc99-828c-11cf-a37e-00aa003240c7", &[
        (3, "OpenNamespace"), (6, "GetObject"), (8, "PutClass"), (14, "PutInstance"),
        (16, "DeleteInstance"), (18, "CreateInstanceEnum"), (20, "ExecQuery"),
        (22, "ExecNotificationQuery"), (24, "ExecMethod"), (25, "ExecMethodAsync"),
    ]),
    ("drsuapi", &[
        (0, "DsBind"), (1, "DsUnbind"), (2, "DsReplicaSync"), (3, "DsGetNCChanges"),
        (4, "DsReplicaUpdateRefs"), (5, "DsReplicaAdd"), (6, "DsReplicaDel"),
        (12, "DsCrackNames"), (13, "DsWriteAccountSpn"), (16, "DsGetDomainControllerInfo"),
        (17, "DsAddEntry"), (19, "DsReplicaGetInfo"),
    ]),
    ("samr", &[
        (0, "SamrConnect"), (1, "SamrCloseHandle"), (5, "SamrLookupDomainInSamServer"),
        (6, "SamrEnumerateDomainsInSamServer"), (7, "SamrOpenDomain"),
        (8, "SamrQueryInformationDomain"), (11, "SamrEnumerateGroupsInDomain"),
        (12, "SamrCreateUserInDomain"), (13, "SamrEnumerateUsersInDomain"),
        (15, "SamrEnumerateAliasesInDomain"), (16, "SamrGetAliasMembership"),
        (17, "SamrLookupNamesInDomain"), (18, "SamrLookupIdsInDomain"), (19, "SamrOpenGroup"),
        (22, "SamrAddMemberToGroup"), (25, "SamrGetMembersInGroup"), (27, "SamrOpenAlias"),
        (31, "SamrAddMemberToAlias"), (33, "SamrGetMembersInAlias"), (34, "SamrOpenUser"),
        (35, "SamrDeleteUser"), (36, "SamrQueryInformationUser"),
        (37, "SamrSetInformationUser"), (38, "SamrChangePasswordUser"),
        (39, "SamrGetGroupsForUser"), (40, "SamrQueryDisplayInformation"),
        (50, "SamrCreateUser2InDomain"), (51, "SamrQueryDisplayInformation3"),
        (54, "SamrOemChangePasswordUser2"), (55, "SamrUnicodeChangePasswordUser2"),
        (57, "SamrConnect2"), (58, "SamrSetInformationUser2"), (62, "SamrConnect4"),
        (64, "SamrConnect5"), (66, "SamrSetDSRMPassword"),
    ]),
    ("lsarpc", &[
        (0, "LsarClose"), (6, "LsarOpenPolicy"), (7, "LsarQueryInformationPolicy"),
        (10, "LsarCreateAccount"), (11, "LsarEnumerateAccounts"),
        (13, "LsarEnumerateTrustedDomains"), (14, "LsarLookupNames"), (15, "LsarLookupSids"),
        (16, "LsarCreateSecret"), (28, "LsarOpenSecret"), (29, "LsarSetSecret"),
        (30, "LsarQuerySecret"), (35, "LsarEnumerateAccountsWithUserRight"),
        (36, "LsarEnumerateAccountRights"), (37, "LsarAddAccountRights"),
        (42, "LsarStorePrivateData"), (43, "LsarRetrievePrivateData"), (44, "LsarOpenPolicy2"),
        (45, "LsarGetUserName"), (46, "LsarQueryInformationPolicy2"),
        (50, "LsarEnumerateTrustedDomainsEx"), (57, "LsarLookupSids2"),
        (58, "LsarLookupNames2"), (68, "LsarLookupNames3"), (76, "LsarLookupSids3"),
        (77, "LsarLookupNames4"),
    ]),
    ("srvsvc", &[
        (8, "NetrConnectionEnum"), (9, "NetrFileEnum"), (12, "NetrSessionEnum"),
        (13, "NetrSessionDel"), (14, "NetrShareAdd"), (15, "NetrShareEnum"),
        (16, "NetrShareGetInfo"), (18, "NetrShareDel"), (21, "NetrServerGetInfo"),
        (23, "NetrServerDiskEnum"), (28, "NetrRemoteTOD"), (36, "NetrShareEnumSticky"),
    ]),
    ("wkssvc", &[
        (0, "NetrWkstaGetInfo"), (2, "NetrWkstaUserEnum"), (5, "NetrWkstaTransportEnum"),
        (22, "NetrJoinDomain2"),
    ]),
    ("winreg", &[
        (0, "OpenClassesRoot"), (1, "OpenCurrentUser"), (2, "OpenLocalMachine"),
        (3, "OpenPerformanceData"), (4, "OpenUsers"), (5, "BaseRegCloseKey"),
        (6, "BaseRegCreateKey"), (7, "BaseRegDeleteKey"), (8, "BaseRegDeleteValue"),
        (9, "BaseRegEnumKey"), (10, "BaseRegEnumValue"), (15, "BaseRegOpenKey"),
        (16, "BaseRegQueryInfoKey"), (17, "BaseRegQueryValue"), (20, "BaseRegSaveKey"),
        (22, "BaseRegSetValue"), (31, "BaseRegSaveKeyEx"),
    ]),
    ("netlogon", &[
        (2, "NetrLogonSamLogon"), (4, "NetrServerReqChallenge"), (5, "NetrServerAuthenticate"),
        (6, "NetrServerPasswordSet"), (15, "NetrServerAuthenticate2"),
        (21, "NetrLogonGetDomainInfo"), (26, "NetrServerAuthenticate3"),
        (30, "NetrServerPasswordSet2"), (31, "NetrServerPasswordGet"), (34, "DsrGetDcNameEx2"),
        (39, "NetrLogonSamLogonEx"), (40, "DsrEnumerateDomainTrusts"),
        (42, "NetrServerTrustPasswordsGet"), (45, "NetrLogonSamLogonWithFlags"),
    ]),
    ("spoolss", &[
        (0, "RpcEnumPrinters"), (1, "RpcOpenPrinter"), (9, "RpcAddPrinterDriver"),
        (62, "RpcRemoteFindFirstPrinterChangeNotification"),
        (65, "RpcRemoteFindFirstPrinterChangeNotificationEx"), (69, "RpcOpenPrinterEx"),
        (70, "RpcAddPrinterEx"), (89, "RpcAddPrinterDriverEx"),
    ]),
    ("iremotewinspool", &[
        (0, "RpcAsyncOpenPrinter"), (39, "RpcAsyncAddPrinterDriver"),
        (62, "RpcAsyncInstallPrinterDriverFromPackage"),
    ]),
    ("efsrpc", EFS_OPERATIONS),
    ("df1941c5-fe89-4e79-bf10-463657acf44d", EFS_OPERATIONS), // the same over another pipe
    // BackupKey.
    ("3dde7c30-165d-11d1-ab8f-00805f14db40", &[(0, "BackuprKey")]),
    ("netdfs", &[(12, "NetrDfsAddStdRoot"), (13, "NetrDfsRemoveStdRoot")]),
    ("fssagentrpc", &[(8, "IsPathSupported"), (9, "IsPathShadowCopied")]),
    ("eventlog", &[
        (0, "ElfrClearELFW"), (1, "ElfrBackupELFW"), (7, "ElfrOpenELW"), (12, "ElfrClearELFA"),
    ]),
    ("initshutdown", &[
        (0, "BaseInitiateShutdown"), (1, "BaseAbortShutdown"), (2, "BaseInitiateShutdownEx"),
    ]),
    ("epmapper", &[(2, "ept_lookup"), (3, "ept_map")]),
];

#[rustfmt::skip]
const EFS_OPERATIONS: &[(u16, &str)] = &[
    (0, "EfsRpcOpenFileRaw"), (4, "EfsRpcEncryptFileSrv"), (5, "EfsRpcDecryptFileSrv"),
    (6, "EfsRpcQueryUsersOnFile"), (7, "EfsRpcQueryRecoveryAgents"),
    (12, "EfsRpcFileKeyInfo"), (13, "EfsRpcDuplicateEncryptionInfoFile"),
    (15, "EfsRpcAddUsersToFileEx"),
];
