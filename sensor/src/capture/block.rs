//! Blocks of bytes that are filled, shared with workers, and filled again when those are done.
//!
//! In: a wish for so many bytes. Out: a block that nobody else holds. A block returns by itself:
//! the pool keeps one handle of each, and a block whose only handle is that one is free.

use std::sync::Arc;

/// Blocks that a pool keeps. Workers hold at most what their queues hold; a pool without a bound
/// would keep the memory of the one moment in which they all lagged behind.
const POOL_BLOCKS: usize = 64;

/// Blocks of one size.
pub(super) struct BlockPool {
    block_bytes: usize,
    blocks: Vec<Arc<Vec<u8>>>,
}

impl BlockPool {
    /// A pool whose blocks have `block_bytes` each.
    pub(super) const fn new(block_bytes: usize) -> Self {
        Self { block_bytes, blocks: Vec::new() }
    }

    /// A block of at least `bytes` that nobody else holds. What it contains is left over.
    pub(super) fn take(&mut self, bytes: usize) -> Arc<Vec<u8>> {
        if bytes > self.block_bytes {
            return Arc::new(vec![0; bytes]);
        }
        match self.blocks.iter_mut().position(|block| Arc::get_mut(block).is_some()) {
            Some(free) => self.blocks.swap_remove(free),
            None => Arc::new(vec![0; self.block_bytes]),
        }
    }

    /// Keeps a handle of `block`, so that it can be taken again. Blocks that were made larger for
    /// one record are let go.
    pub(super) fn keep(&mut self, block: &Arc<Vec<u8>>) {
        if block.len() == self.block_bytes && self.blocks.len() < POOL_BLOCKS {
            self.blocks.push(Arc::clone(block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again_when_all_others_have_dropped_it() {
        let mut pool = BlockPool::new(16);
        let first = pool.take(1);
        pool.keep(&first);
        let held = Arc::clone(&first);
        let address = first.as_ptr();
        drop(first);
        assert_ne!(pool.take(16).as_ptr(), address);
        drop(held);
        assert_eq!(pool.take(16).as_ptr(), address);
    }

    #[test]
    fn a_larger_block_is_made_and_not_kept() {
        let mut pool = BlockPool::new(16);
        let large = pool.take(17);
        assert_eq!(large.len(), 17);
        pool.keep(&large);
        assert!(pool.blocks.is_empty());
    }

    #[test]
    fn the_pool_is_bounded() {
        let mut pool = BlockPool::new(1);
        let held: Vec<_> = (0..=POOL_BLOCKS)
            .map(|_| {
                let block = pool.take(1);
                pool.keep(&block);
                block
            })
            .collect();
        assert_eq!((held.len(), pool.blocks.len()), (POOL_BLOCKS + 1, POOL_BLOCKS));
    }
}
