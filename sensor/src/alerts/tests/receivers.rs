//! A syslog receiver for tests, on loopback, with good and bad habits; and how it reads frames.

use std::io::Read as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a receiver does with a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Habit {
    /// Reads to the end, then closes.
    Reads,
    /// Accepts, and reads nothing.
    NeverReads,
    /// The first connection: reads so many bytes, waits a little, and is gone with what is unread.
    DiesUnread { after: usize },
}

/// The receiver.
pub(super) struct Receiver {
    address: SocketAddr,
    habit: Habit,
    got: Arc<Mutex<Vec<Vec<u8>>>>,
    running: Mutex<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
}

impl Receiver {
    pub(super) fn start(habit: Habit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, habit, got: Arc::default(), running: Mutex::new(None) };
        receiver.run(listener);
        receiver
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn stop(&self) {
        if let Some((stop, thread)) = self.running.lock().unwrap().take() {
            stop.store(true, Ordering::Relaxed);
            drop(TcpStream::connect(self.address));
            thread.join().unwrap();
        }
    }

    pub(super) fn restart(&self) {
        self.run(TcpListener::bind(self.address).unwrap());
    }

    fn run(&self, listener: TcpListener) {
        let stop = Arc::new(AtomicBool::new(false));
        let (got, habit) = (Arc::clone(&self.got), self.habit);
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || accept(&listener, &stop, habit, &got)
        });
        *self.running.lock().unwrap() = Some((stop, thread));
    }

    /// The numbers in what was read, in order, over all connections; half a frame at the end of
    /// one is none.
    pub(super) fn sequences(&self, framing: &str) -> Vec<u64> {
        self.stop();
        let got = self.got.lock().unwrap();
        let messages = got.iter().flat_map(|bytes| match framing {
            "octet" => octet_frames(bytes),
            _ => lines(bytes),
        });
        messages.map(|message| sequence(&message)).collect()
    }
}

fn accept(listener: &TcpListener, stop: &AtomicBool, habit: Habit, got: &Mutex<Vec<Vec<u8>>>) {
    let mut held = Vec::new();
    for (count, stream) in listener.incoming().enumerate() {
        let mut stream = stream.unwrap();
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut bytes = Vec::new();
        match habit {
            Habit::NeverReads => {
                held.push(stream);
                continue;
            }
            Habit::DiesUnread { after } if count == 0 => {
                let mut some = vec![0; after];
                let _ = stream.read_exact(&mut some);
                bytes = some;
                // So that there is something unread, and its end is a reset.
                thread::sleep(Duration::from_millis(100));
            }
            _ => {
                let _ = stream.read_to_end(&mut bytes);
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        got.lock().unwrap().push(bytes);
    }
}

/// Whole messages of a stream with octet counts (RFC 6587, section 3.4.1).
pub(super) fn octet_frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(space) = bytes.iter().position(|&byte| byte == b' ') {
        let length = str::from_utf8(&bytes[..space]).unwrap();
        assert!(!length.starts_with('0'), "a length is {length:?}");
        let end = space + 1 + length.parse::<usize>().unwrap();
        let Some(frame) = bytes.get(space + 1..end) else { break };
        frames.push(frame.to_vec());
        bytes = &bytes[end..];
    }
    frames
}

/// Whole lines of a stream.
fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let lines = bytes[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(<[u8]>::to_vec).collect()
}

/// The number in a message's structured data.
fn sequence(message: &[u8]) -> u64 {
    let message = str::from_utf8(message).unwrap();
    let (_, rest) = message.split_once(" seq=\"").unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}
