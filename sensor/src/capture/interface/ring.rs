//! A packet socket whose frames the Linux kernel writes into memory that it shares with us
//! (packet(7), TPACKET_V3): the one file of Serval with `unsafe`, because no safe interface to
//! this memory exists.
//!
//! In: an interface's number, a filter program, a size. Out: blocks of frames, each lent as a slice
//! for as long as the kernel leaves it alone; the kernel's counts.
//!
//! The ring is `blocks` blocks of `block_bytes`. The kernel fills one after the other and gives it
//! over when it is full or [`RETIRE_MILLIS`] old by setting a bit in the block's status; we give it
//! back by clearing the status. When the next block is not ours yet, the kernel's frames are lost,
//! and counted.
//!
//! **Invariant:** a block is read only while its status says that it is ours, and the slice of it
//! does not live longer than that.

// Sizes of small structures, and the kernel's constants in the types that its structures have.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_int, c_void, socklen_t};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::capture::Pressure;

/// Age at which the kernel hands over a block that is not full: what it adds to the time from the
/// wire to a row, against the blocks that a trickle of packets uses up.
pub(super) const RETIRE_MILLIS: u32 = 20;

/// A frame's room in the ring, which for this version of the ring is only checked, not used.
const FRAME_BYTES: u32 = 2_048;

/// Offset of the status in a block's description.
const STATUS_OFFSET: usize = 8;

/// Size and shape of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of a block: a power of two, and pages. A longer frame is cut.
    pub(super) block_bytes: u32,
    /// How many there are.
    pub(super) blocks: u32,
}

/// Block sizes: large enough that handing over costs nothing beside the frames, small enough that
/// the blocks of a small ring are several.
const BLOCK_BYTES_MAX: u64 = 256 * 1024;
const BLOCK_BYTES_MIN: u64 = 16 * 1024;

impl Shape {
    /// The shape of a ring of about `bytes`.
    pub(super) fn of(bytes: u64) -> Self {
        let block = (bytes / 16).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX).next_power_of_two();
        let block = block.min(BLOCK_BYTES_MAX);
        let blocks = (bytes / block).clamp(2, u64::from(u32::MAX) / BLOCK_BYTES_MAX);
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self { block_bytes: narrow(block), blocks: narrow(blocks) }
    }

    const fn bytes(self) -> usize {
        self.block_bytes as usize * self.blocks as usize
    }
}

/// What the kernel counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KernelCounts {
    /// Frames that passed the filter, with those that were lost.
    pub(super) frames: u64,
    /// Frames that found no free block.
    pub(super) lost: u64,
}

/// One instruction of a classic BPF program (`struct sock_filter`).
pub(super) use libc::sock_filter as Instruction;

/// A program that lets nothing pass: `ret #0`.
const NOTHING: [Instruction; 1] = [Instruction { code: 0x06, jt: 0, jf: 0, k: 0 }];

/// The socket with its ring.
#[derive(Debug)]
pub(super) struct Ring {
    socket: OwnedFd,
    memory: NonNull<u8>,
    shape: Shape,
    /// The block that the kernel hands over next.
    next: usize,
}

// SAFETY: `memory` is a mapping that this value alone owns; nothing in it belongs to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens a socket with a ring; it hears nothing before [`bind`](Self::bind).
    ///
    /// # Errors
    /// The process may not open packet sockets (CAP_NET_RAW), or the memory is not to be had.
    pub(super) fn open(shape: Shape) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        let request = libc::tpacket_req3 {
            tp_block_size: shape.block_bytes,
            tp_block_nr: shape.blocks,
            tp_frame_size: FRAME_BYTES,
            tp_frame_nr: shape.block_bytes / FRAME_BYTES * shape.blocks,
            tp_retire_blk_tov: RETIRE_MILLIS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set_option(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        // The kernel stamps frames when they arrive, not when they are copied to the ring, and
        // every reader of a frame gets the same stamp.
        set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1)?;
        let (protection, share) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing of ours.
        let memory = unsafe {
            let anywhere = std::ptr::null_mut();
            rustix::mm::mmap(anywhere, shape.bytes(), protection, share, &socket, 0)?
        };
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { socket, memory, shape, next: 0 })
    }

    /// Hears the interface of that number from now on, and no other.
    ///
    /// # Errors
    /// There is no such interface.
    pub(super) fn bind(&self, index: u32) -> io::Result<()> {
        // SAFETY: all zeros are a valid `sockaddr_ll`, which is plain numbers.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index.cast_signed();
        let (at, bytes) = (&raw const address, size_of_val(&address));
        // SAFETY: the pointer is to a `sockaddr_ll` of that many bytes that lives until the return.
        check(unsafe { libc::bind(self.socket.as_raw_fd(), at.cast(), bytes as socklen_t) })
    }

    /// The hardware type (`ARPHRD_*`) of the interface that the ring is bound to.
    ///
    /// # Errors
    /// It is bound to none.
    pub(super) fn hardware_type(&self) -> io::Result<u16> {
        // SAFETY: as in `bind`.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        let mut bytes = size_of_val(&address) as socklen_t;
        let at = (&raw mut address).cast();
        // SAFETY: the kernel writes at most `bytes` bytes, which `address` has.
        check(unsafe { libc::getsockname(self.socket.as_raw_fd(), at, &raw mut bytes) })?;
        Ok(address.sll_hatype)
    }

    /// Whether the interface of that name is up.
    ///
    /// # Errors
    /// There is no such interface.
    pub(super) fn is_up(&self, name: &str) -> io::Result<bool> {
        // SAFETY: all zeros are a valid `ifreq`, which is a name and plain numbers.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // The last byte stays zero and ends the name.
        let place = request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1);
        for (to, from) in place.zip(name.bytes()) {
            *to = from.cast_signed();
        }
        let socket = self.socket.as_raw_fd();
        // SAFETY: the kernel reads and writes an `ifreq`, which `request` is.
        check(unsafe { libc::ioctl(socket, libc::SIOCGIFFLAGS as _, &raw mut request) })?;
        // SAFETY: this request answers with the flags, and any bits are valid ones.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        Ok(c_int::from(flags) & libc::IFF_UP != 0)
    }

    /// Asks the interface for frames to other hosts, too.
    ///
    /// # Errors
    /// The interface cannot.
    pub(super) fn listen_to_all(&self, index: u32) -> io::Result<()> {
        let request = libc::packet_mreq {
            mr_ifindex: index.cast_signed(),
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set_option(&self.socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// Leaves out frames that this host sends. Kernels before 4.20 cannot.
    ///
    /// # Errors
    /// The kernel cannot.
    pub(super) fn ignore_outgoing(&self) -> io::Result<()> {
        set_option(&self.socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1)
    }

    /// Lets only frames pass that the program accepts.
    ///
    /// # Errors
    /// The kernel refuses the program.
    pub(super) fn filter(&self, program: &[Instruction]) -> io::Result<()> {
        let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        // The kernel only reads the program, though its declaration does not say so.
        let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
        set_option(&self.socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// Lets nothing pass any more: what is in the ring is the rest.
    ///
    /// # Errors
    /// Never, as far as we know.
    pub(super) fn close_door(&self) -> io::Result<()> {
        self.filter(&NOTHING)
    }

    /// What the kernel counted since the last call.
    ///
    /// # Errors
    /// Never, as far as we know.
    pub(super) fn counts(&self) -> io::Result<KernelCounts> {
        let mut counts = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut bytes = size_of_val(&counts) as socklen_t;
        let (level, name, at) = (libc::SOL_PACKET, libc::PACKET_STATISTICS, &raw mut counts);
        let socket = self.socket.as_raw_fd();
        // SAFETY: the kernel writes at most `bytes` bytes, which `counts` has.
        check(unsafe { libc::getsockopt(socket, level, name, at.cast(), &raw mut bytes) })?;
        Ok(KernelCounts { frames: counts.tp_packets.into(), lost: counts.tp_drops.into() })
    }

    /// Lends the next block that the kernel has handed over, and gives it back afterwards. `None`
    /// when there is none yet.
    pub(super) fn take<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let block_bytes = self.shape.block_bytes as usize;
        let (block, status) = self.block(self.next);
        // Acquire: what the kernel wrote before it set the bit is seen after we have seen the bit.
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the block is ours until we clear its status, which we do after `read`, whose
        // result cannot borrow from the slice; the kernel does not write to it before. Every byte
        // is initialised, as the kernel gives out zeroed pages only.
        let read = read(unsafe { std::slice::from_raw_parts(block.as_ptr(), block_bytes) });
        // Release: our reads are done before the kernel sees that it may write.
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.shape.blocks as usize;
        Some(read)
    }

    /// How full the ring is: whether the block that lies half of it ahead, or three quarters, was
    /// handed over and not read yet.
    pub(super) fn pressure(&self) -> Pressure {
        let blocks = self.shape.blocks as usize;
        let is_full_to = |ahead| {
            let (_, status) = self.block((self.next + ahead) % blocks);
            status.load(Ordering::Relaxed) & libc::TP_STATUS_USER != 0
        };
        match (is_full_to(blocks / 2), is_full_to(blocks - blocks / 4 - 1)) {
            (_, true) => Pressure::Critical,
            (true, false) => Pressure::High,
            (false, false) => Pressure::Low,
        }
    }

    /// A block, by its number below `blocks`, and its status.
    fn block(&self, number: usize) -> (NonNull<u8>, &AtomicU32) {
        // SAFETY: the number is less than `blocks`, so the block lies in the mapping, which lives
        // as long as `self`. The status is four bytes of it, aligned because blocks are pages; both
        // sides change it as a whole word.
        unsafe {
            let block = self.memory.add(number * self.shape.block_bytes as usize);
            (block, block.add(STATUS_OFFSET).cast::<AtomicU32>().as_ref())
        }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no slice of it outlives `take`. That it cannot be
        // unmapped would leave it to the end of the process.
        let _ = unsafe { rustix::mm::munmap(self.memory.as_ptr().cast(), self.shape.bytes()) };
    }
}

fn set_option<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let (at, bytes) = (std::ptr::from_ref(value).cast::<c_void>(), size_of::<T>() as socklen_t);
    // SAFETY: the kernel reads at most `bytes` bytes, which `value` has.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, at, bytes) })
}

fn check(answer: c_int) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_blocks_of_a_size_that_the_kernel_takes() {
        for (bytes, block_bytes, blocks) in [
            (0, 16 * 1024, 2),
            (64 * 1024, 16 * 1024, 4),
            (1 << 20, 64 * 1024, 16),
            (3 << 20, 256 * 1024, 12),
            (64 << 20, 256 * 1024, 256),
        ] {
            assert_eq!(Shape::of(bytes), Shape { block_bytes, blocks }, "{bytes}");
        }
    }
}
