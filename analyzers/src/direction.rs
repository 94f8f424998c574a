//! Direction of a packet inside its flow, and pairs of state kept for both directions.

/// Which way bytes travel: from the flow's originator (`src`) or from its responder (`dst`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the originator to the responder.
    SrcToDst,
    /// From the responder to the originator.
    DstToSrc,
}

impl Direction {
    /// Both, originator first.
    pub const BOTH: [Self; 2] = [Self::SrcToDst, Self::DstToSrc];

    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::SrcToDst => Self::DstToSrc,
            Self::DstToSrc => Self::SrcToDst,
        }
    }
}

/// One value for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerDirection<T> {
    /// Of the originator's direction.
    pub src: T,
    /// Of the responder's direction.
    pub dst: T,
}

impl<T> PerDirection<T> {
    /// The value of one direction.
    #[must_use]
    pub const fn of(&self, direction: Direction) -> &T {
        match direction {
            Direction::SrcToDst => &self.src,
            Direction::DstToSrc => &self.dst,
        }
    }

    /// The value of one direction, to change it.
    pub const fn of_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::SrcToDst => &mut self.src,
            Direction::DstToSrc => &mut self.dst,
        }
    }

    /// The value of `direction` and that of the other one, both to change.
    pub const fn pair_mut(&mut self, direction: Direction) -> (&mut T, &mut T) {
        match direction {
            Direction::SrcToDst => (&mut self.src, &mut self.dst),
            Direction::DstToSrc => (&mut self.dst, &mut self.src),
        }
    }
}
