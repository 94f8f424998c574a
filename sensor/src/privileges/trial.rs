//! Tries what must not be possible any more.
//!
//! In: a process that has given up its privileges. Out: for each act, whether it failed. A process
//! that succeeds at one has done no harm: each act is chosen so that success changes nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::TcpStream;
use std::process::Command;

use super::Network;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Resource, Rlimit, Uid};

/// The act that a sensor must be capable of when it sends alerts or fetches feeds.
const CONNECT: &str = "connect to a peer";

/// One act that must fail.
#[derive(Debug)]
pub struct Act {
    /// What was tried.
    pub what: &'static str,
    /// Why it failed; `None` if it did not.
    pub denied: Option<String>,
}

/// Tries every act that must fail in a process that sends nothing out, or that may send.
#[must_use]
pub fn trials(network: Network) -> Vec<Act> {
    let parent = rustix::process::getppid();
    let acts: [(&'static str, io::Result<()>); 12] = [
        ("start a program", Command::new("/bin/true").status().map(drop)),
        ("read /etc/shadow", File::open("/etc/shadow").map(drop)),
        ("write outside its directories", create("/tmp/.serval-trial")),
        (CONNECT, connect()),
        ("hear the wire again", hear()),
        ("become root", become_root()),
        ("signal another process", signal(parent)),
        ("look into another process", look_into(parent)),
        ("mount a file system", mount()),
        ("change its root directory", std::os::unix::fs::chroot("/")),
        ("load a kernel module", rustix::system::init_module(&[], c"").map_err(Into::into)),
        ("raise its limits", raise()),
    ];
    let must_fail = |act: &(&str, _)| network == Network::Answers || act.0 != CONNECT;
    acts.into_iter()
        .filter(must_fail)
        .map(|(what, outcome)| Act { what, denied: outcome.err().map(|error| error.to_string()) })
        .collect()
}

fn create(path: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?;
    std::fs::remove_file(path)
}

/// Where nobody listens, a process that may connect is refused by the peer, not by the system.
fn connect() -> io::Result<()> {
    match TcpStream::connect("127.0.0.1:9") {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

fn hear() -> io::Result<()> {
    let flags = SocketFlags::CLOEXEC;
    rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    Ok(())
}

fn become_root() -> io::Result<()> {
    Ok(rustix::thread::set_thread_uid(Uid::ROOT)?)
}

fn signal(parent: Option<Pid>) -> io::Result<()> {
    let parent = parent.unwrap_or(Pid::INIT);
    Ok(rustix::process::test_kill_process(parent)?)
}

fn look_into(parent: Option<Pid>) -> io::Result<()> {
    let parent = parent.unwrap_or(Pid::INIT).as_raw_nonzero();
    File::open(format!("/proc/{parent}/mem")).map(drop)
}

fn mount() -> io::Result<()> {
    let flags = rustix::mount::MountFlags::RDONLY;
    rustix::mount::mount("none", "/proc/self/nowhere", "tmpfs", flags, None)?;
    Ok(())
}

fn raise() -> io::Result<()> {
    let limit = Rlimit { current: Some(u64::MAX / 2), maximum: Some(u64::MAX / 2) };
    Ok(rustix::process::setrlimit(Resource::Nofile, limit)?)
}
