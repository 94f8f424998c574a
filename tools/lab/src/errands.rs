//! Errands: what hosts do in one go, whoever they are.
//!
//! In: a host and where it goes. Out: frames on the scene. A name is looked up first unless it is
//! still known, as every program does.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzers::Timestamp;

use crate::dice::Dice;
use crate::packet::{self, Ends, Payload, Segment, flag};
use crate::scene::Scene;
use crate::site::servers;
use crate::speech::dns::{self, Answer, kind};
use crate::speech::tls::{self, Client, Exchange};
use crate::speech::{http, ntp, rdp, smb};
use crate::talk::{Opening, Talk};
use crate::world::Destination;

/// Milliseconds of a round trip inside the site, and to the Internet.
pub const NEAR: f64 = 0.4;
/// See [`NEAR`].
pub const FAR: f64 = 38.0;

/// Port of DNS.
const DNS: u16 = 53;

/// How long answers are good for; each name has one of these.
const TTLS: [u32; 4] = [60, 300, 900, 3_600];

/// How long a name's answers are good for.
#[must_use]
pub fn ttl(name: &str) -> u32 {
    *Dice::new(1, name).one(&TTLS)
}

/// Milliseconds of a round trip between them.
fn distance(dst: IpAddr) -> f64 {
    match dst {
        IpAddr::V4(ip) if ip.is_private() => NEAR,
        _ => FAR,
    }
}

impl Scene {
    /// A new conversation of `host`, without words yet.
    pub fn call(&mut self, host: IpAddr, dst: SocketAddr) -> Talk {
        let rtt = self.rtt(distance(dst.ip()));
        Talk::new(self.ends(host, dst), rtt)
    }

    /// A question to the site's resolver and its answer. When the answer is there.
    pub fn ask(
        &mut self,
        host: IpAddr,
        name: &str,
        kind: u16,
        answer: Option<&Answer>,
    ) -> Timestamp {
        let ends = self.ends(host, SocketAddr::new(servers::RESOLVER, DNS));
        let id = self.dice().short();
        let question = dns::query(id, name, kind);
        let answer = answer.map(|answer| dns::response(id, name, kind, answer));
        let (start, rtt) = (self.now(), self.rtt(9.0));
        self.datagrams(ends, start, rtt, &question, answer.as_deref());
        start.after(rtt + Duration::from_millis(1))
    }

    /// Looks a name up unless `host` knows it. When it is known.
    pub fn look_up(&mut self, host: IpAddr, name: &str, address: IpAddr) -> Timestamp {
        let ttl = ttl(name);
        if self.remembers(host, name, Duration::from_secs(u64::from(ttl))) {
            return self.now();
        }
        self.ask(host, name, kind::A, Some(&Answer::Addresses(vec![address], ttl)))
    }

    /// When `host` knows where that is.
    pub fn find(&mut self, host: IpAddr, to: &Destination) -> Timestamp {
        match &to.name {
            Some(name) => self.look_up(host, name, to.address.ip()),
            None => self.now(),
        }
    }

    /// One request over TLS.
    pub fn https(&mut self, host: IpAddr, to: &Destination, client: &Client, exchange: Exchange) {
        let start = self.find(host, to);
        let talk = self.call(host, to.address);
        let name = to.name.as_deref();
        let talk = tls::request(talk, client, name, exchange, self.dice());
        self.talk(start, talk);
    }

    /// One request in the clear, on a connection of its own.
    pub fn http(
        &mut self,
        host: IpAddr,
        to: &Destination,
        request: &http::Request<'_>,
        answer: usize,
    ) {
        let start = self.find(host, to);
        let talk = self
            .call(host, to.address)
            .asks(Duration::from_millis(1), request.bytes())
            .answers(Duration::from_millis(20), http::response("200 OK", "text/html", answer));
        self.talk(start, talk);
    }

    /// A connection that comes to nothing.
    pub fn knock(&mut self, host: IpAddr, dst: SocketAddr, opening: Opening) {
        let (start, talk) = (self.now(), self.call(host, dst).opening(opening));
        self.talk(start, talk);
    }

    /// A server agrees to a connection for which nobody asked.
    pub fn answer_to_nobody(&mut self, server: SocketAddr, host: SocketAddr) {
        let flags = flag::SYN | flag::ACK;
        let segment = Segment { flags, seq: self.dice().word(), ack: self.dice().word() };
        let payload = Payload::from(&[][..]);
        self.frames([packet::tcp(self.now(), (server, host), segment, payload)]);
    }

    /// Asks a server for the time, from the port of the service as daemons do.
    pub fn ask_time(&mut self, host: IpAddr, to: &Destination) {
        const PORT: u16 = 123;
        let start = self.find(host, to);
        let ends = Ends { src: SocketAddr::new(host, PORT), dst: to.address };
        let rtt = self.rtt(FAR);
        let answer = ntp::answer(start.after(rtt));
        self.datagrams(ends, start, rtt, &ntp::question(start), Some(&answer));
    }

    /// A logon with a remote desktop.
    pub fn remote_desktop(&mut self, host: IpAddr, to: IpAddr, user: &str, logon: rdp::Logon) {
        let (start, talk) = (self.now(), self.call(host, SocketAddr::new(to, 3_389)));
        let talk = rdp::attempt(talk, user, logon, self.dice());
        self.talk(start, talk);
    }

    /// A session with a file server that begins with its negotiation.
    pub fn files(&mut self, host: IpAddr, to: IpAddr, pause: Duration) -> smb::Session {
        smb::Session::negotiate(self.call(host, SocketAddr::new(to, 445)), pause)
    }

    /// What was said in such a session, from now on.
    pub fn play_files(&mut self, session: smb::Session) {
        let start = self.now();
        self.talk(start, session.end());
    }
}
