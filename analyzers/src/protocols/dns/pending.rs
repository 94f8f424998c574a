//! Pairs responses with queries: the queries of one flow that still wait, oldest first.
//!
//! A response belongs to the oldest query of the other direction with the same id and the same
//! first question. NetBIOS and some servers repeat no question; then the id decides alone. In
//! multicast DNS every id is zero and a flow has one direction: a host's next response goes with
//! its oldest question for the name that it announces first, else with its oldest question. That is
//! flow and id, as everyone who reads such rows knows them.

use std::collections::VecDeque;

use super::dialect::Dialect;
use super::message::{Header, Message, Question};
use crate::direction::Direction;
use crate::limits::{DNS_PENDING, DNS_PENDING_AGE};
use crate::time::Timestamp;

/// A query that waits.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) time: Timestamp,
    pub(super) direction: Direction,
    pub(super) header: Header,
    pub(super) question: Option<Question>,
    pub(super) bytes: usize,
}

/// Queries of one flow, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    queries: VecDeque<Query>,
}

impl Pending {
    /// Adds a query; gives back the oldest when there are more than the bound allows.
    pub(super) fn push(&mut self, query: Query) -> Option<Query> {
        self.queries.push_back(query);
        if self.queries.len() > DNS_PENDING { self.queries.pop_front() } else { None }
    }

    /// Takes the oldest query, if it has waited too long at `now`.
    pub(super) fn pop_expired(&mut self, now: Timestamp) -> Option<Query> {
        let oldest = self.queries.front()?;
        if now.since(oldest.time) > DNS_PENDING_AGE { self.queries.pop_front() } else { None }
    }

    /// Takes the oldest query.
    pub(super) fn pop(&mut self) -> Option<Query> {
        self.queries.pop_front()
    }

    /// Takes the query that `response` answers.
    pub(super) fn take(
        &mut self,
        response: &Message,
        direction: Direction,
        dialect: Dialect,
    ) -> Option<Query> {
        let fits = |query: &Query| {
            query.header.id == response.header.id
                && (query.direction != direction || dialect == Dialect::Mdns)
                && match (readable(&query.question), readable(&response.question)) {
                    (Some(asked), Some(answered)) => asked == answered,
                    _ => true,
                }
        };
        let named = |query: &Query| {
            let asked = query.question.as_ref().and_then(|question| question.name.as_ref());
            response.announced.is_some() && asked == response.announced.as_ref()
        };
        let exact = self.queries.iter().position(|query| fits(query) && named(query));
        let position = exact.or_else(|| self.queries.iter().position(fits))?;
        self.queries.remove(position)
    }
}

/// A question by which messages can be told apart.
fn readable(question: &Option<Question>) -> Option<&Question> {
    question.as_ref().filter(|question| question.name.is_some())
}
