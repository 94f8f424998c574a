//! SMB 2 (MS-SMB2): negotiation, logon with NTLM, shares, files, named pipes with DCE/RPC.
//!
//! In: what is done. Out: the turns of a conversation on port 445.

use std::time::Duration;

use super::fields::{Fields, long, short, utf16};
use super::noise;
use super::ntlm::{self, Account};
use super::rpc::{self, Interface};
use crate::talk::Talk;

/// Commands, MS-SMB2 §2.2.1.2.
mod command {
    pub(super) const NEGOTIATE: u16 = 0;
    pub(super) const SESSION_SETUP: u16 = 1;
    pub(super) const TREE_CONNECT: u16 = 3;
    pub(super) const CREATE: u16 = 5;
    pub(super) const CLOSE: u16 = 6;
    pub(super) const READ: u16 = 8;
    pub(super) const WRITE: u16 = 9;
    pub(super) const IOCTL: u16 = 11;
}

const SUCCESS: u32 = 0;
const MORE_PROCESSING: u32 = 0xc000_0016;
const LOGON_FAILURE: u32 = 0xc000_006d;

/// `FSCTL_PIPE_TRANSCEIVE`.
const TRANSCEIVE: u32 = 0x0011_c017;

/// `FILE_OPEN`, `FILE_OVERWRITE_IF` and what became of them.
const OPEN: u32 = 1;
const OVERWRITE_IF: u32 = 5;
const OPENED: u32 = 1;
const CREATED: u32 = 2;

/// Data of one read or write.
const PART_BYTES: usize = 65_536;

/// A session on one connection, request by request.
pub struct Session {
    talk: Talk,
    pause: Duration,
    message: u64,
    session: u64,
    tree: u32,
    file: u64,
}

impl Session {
    /// The negotiation of SMB 3.1.1 on a connection, `pause` between a request and the next.
    #[must_use]
    pub fn negotiate(talk: Talk, pause: Duration) -> Self {
        let mut session = Self { talk, pause, message: 0, session: 0, tree: 0, file: 0 };
        let dialects = Fields::default()
            .u16(36)
            .u16(2)
            .u16(1)
            .zeros(2 + 4)
            .bytes(&[0x5a; 16])
            .zeros(8)
            .u16(0x0210)
            .u16(0x0302);
        let chosen = Fields::default()
            .u16(65)
            .u16(1)
            .u16(0x0302)
            .u16(0)
            .bytes(&[0xa5; 16])
            .u32(0x2f)
            .u32(1 << 20)
            .u32(1 << 20)
            .u32(1 << 20)
            .zeros(16)
            .u16(128)
            .u16(0)
            .u32(0);
        session.exchange(command::NEGOTIATE, dialects, SUCCESS, chosen);
        session
    }

    fn message(&self, command: u16, status: u32, flags: u32, body: &Fields) -> Vec<u8> {
        let message = Fields::default()
            .bytes(b"\xfeSMB")
            .u16(64)
            .u16(1)
            .u32(status)
            .u16(command)
            .u16(32)
            .u32(flags)
            .u32(0)
            .u64(self.message)
            .u32(0xfeff)
            .u32(self.tree)
            .u64(self.session)
            .zeros(16)
            .bytes(&body.0);
        let length = long(message.0.len()).to_be_bytes();
        [&length[..], &message.0].concat()
    }

    fn exchange(&mut self, command: u16, asks: Fields, status: u32, answers: Fields) {
        const RESPONSE: u32 = 1;
        let request = self.message(command, 0, 0, &asks);
        let answers =
            if is_error(status) { Fields::default().u16(9).zeros(6).u8(0) } else { answers };
        let response = self.message(command, status, RESPONSE, &answers);
        self.message += 1;
        self.turns(request, response);
    }

    fn turns(&mut self, request: Vec<u8>, response: Vec<u8>) {
        let ends = self.talk.ends;
        let talk = std::mem::replace(&mut self.talk, Talk::new(ends, Duration::ZERO));
        let thinking = Duration::from_millis(1);
        self.talk = talk.asks(self.pause, request).answers(thinking, response);
    }

    fn setup(&mut self, token: &[u8], status: u32, answer: &[u8]) {
        let request = Fields::default()
            .u16(25)
            .u8(0)
            .u8(1)
            .zeros(4 + 4)
            .u16(64 + 24)
            .u16(short(token.len()))
            .zeros(8)
            .bytes(token);
        let response =
            Fields::default().u16(9).u16(0).u16(64 + 8).u16(short(answer.len())).bytes(answer);
        self.exchange(command::SESSION_SETUP, request, status, response);
    }

    /// A logon that succeeds.
    #[must_use]
    pub fn logs_on(mut self, account: Account<'_>) -> Self {
        self.ask_for_challenge();
        self.setup(&ntlm::authenticate(account), SUCCESS, &[]);
        self
    }

    /// A logon that fails.
    #[must_use]
    pub fn fails_to_log_on(mut self, account: Account<'_>) -> Self {
        self.ask_for_challenge();
        self.setup(&ntlm::authenticate(account), LOGON_FAILURE, &[]);
        self.session = 0;
        self
    }

    fn ask_for_challenge(&mut self) {
        let request = ntlm::negotiate();
        self.setup(&request, MORE_PROCESSING, &ntlm::challenge("SERVER"));
        self.session = 0x1122_3344;
    }

    /// A share is used.
    #[must_use]
    pub fn connects(mut self, share: &str) -> Self {
        const DISK: u8 = 1;
        const PIPE: u8 = 2;
        let name = utf16(share);
        let request =
            Fields::default().u16(9).u16(0).u16(64 + 8).u16(short(name.len())).bytes(&name);
        let kind = if share.ends_with("IPC$") { PIPE } else { DISK };
        let response = Fields::default().u16(16).u8(kind).u8(0).zeros(8).u32(0x001f_01ff);
        self.tree += 1;
        self.exchange(command::TREE_CONNECT, request, SUCCESS, response);
        self
    }

    fn open(&mut self, path: &str, disposition: u32, action: u32) {
        let name = utf16(path);
        let request = Fields::default()
            .u16(57)
            .zeros(2 + 4 + 8 + 8)
            .u32(0x0012_019f)
            .u32(0)
            .u32(3)
            .u32(disposition)
            .u32(0)
            .u16(64 + 56)
            .u16(short(name.len()))
            .zeros(8)
            .bytes(&name);
        self.file += 1;
        let response = Fields::default()
            .u16(89)
            .zeros(2)
            .u32(action)
            .zeros(56)
            .u64(self.file)
            .u64(!self.file)
            .zeros(8);
        self.exchange(command::CREATE, request, SUCCESS, response);
    }

    fn write(&mut self, data: &[u8]) {
        let request = Fields::default()
            .u16(49)
            .u16(64 + 48)
            .u32(long(data.len()))
            .zeros(8)
            .u64(self.file)
            .u64(!self.file)
            .zeros(16)
            .bytes(data);
        let response = Fields::default().u16(17).u16(0).u32(long(data.len())).zeros(8);
        self.exchange(command::WRITE, request, SUCCESS, response);
    }

    fn read(&mut self, offset: usize, data: &[u8]) {
        let length = long(data.len());
        let request = Fields::default()
            .u16(49)
            .u16(0)
            .u32(length)
            .u32(long(offset))
            .u32(0)
            .u64(self.file)
            .u64(!self.file)
            .zeros(17);
        let response = Fields::default().u16(17).u16(64 + 16).u32(length).u32(0).u32(0).bytes(data);
        self.exchange(command::READ, request, SUCCESS, response);
    }

    fn close(&mut self) {
        let request = Fields::default().u16(24).zeros(6).u64(self.file).u64(!self.file);
        let response = Fields::default().u16(60).zeros(58);
        self.exchange(command::CLOSE, request, SUCCESS, response);
    }

    /// A file of so many bytes is written.
    #[must_use]
    pub fn writes(mut self, path: &str, bytes: usize) -> Self {
        self.open(path, OVERWRITE_IF, CREATED);
        let mut left = bytes;
        while left > 0 {
            let part = left.min(PART_BYTES);
            self.write(&noise(part));
            left -= part;
        }
        self.close();
        self
    }

    /// A file is opened, and nothing more.
    #[must_use]
    pub fn opens(mut self, path: &str) -> Self {
        self.open(path, OPEN, OPENED);
        self.close();
        self
    }

    /// A file of so many bytes is read.
    #[must_use]
    pub fn reads(mut self, path: &str, bytes: usize) -> Self {
        self.open(path, OPEN, OPENED);
        for offset in (0..bytes).step_by(PART_BYTES) {
            self.read(offset, &noise(PART_BYTES.min(bytes - offset)));
        }
        self.close();
        self
    }

    /// A named pipe is bound to an interface, of which these operations are called.
    #[must_use]
    pub fn calls(mut self, pipe: &str, interface: Interface, operations: &[u16]) -> Self {
        self.open(pipe, OPEN, OPENED);
        self.write(&rpc::bind(interface));
        for (call, operation) in (2..).zip(operations) {
            let input = rpc::request(call, *operation);
            let answer = rpc::response(call);
            let ioctl = |structure: u16, input: &[u8]| {
                Fields::default()
                    .u16(structure)
                    .u16(0)
                    .u32(TRANSCEIVE)
                    .u64(self.file)
                    .u64(!self.file)
                    .u32(if input.is_empty() { 0 } else { 64 + 56 })
                    .u32(long(input.len()))
            };
            let request =
                ioctl(57, &input).u32(0).u32(0).u32(0).u32(1_024).u32(1).u32(0).bytes(&input);
            let response =
                ioctl(49, &[]).u32(64 + 48).u32(long(answer.len())).u32(0).u32(0).bytes(&answer);
            self.exchange(command::IOCTL, request, SUCCESS, response);
        }
        self.close();
        self
    }

    /// The conversation.
    #[must_use]
    pub fn end(self) -> Talk {
        self.talk
    }
}

const fn is_error(status: u32) -> bool {
    status != SUCCESS && status != MORE_PROCESSING
}
