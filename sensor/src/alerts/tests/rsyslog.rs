//! Debian's rsyslog as the receiver, where it is installed.
