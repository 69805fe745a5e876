//! Billing costs, the one stream that is read by days: windows, bookmarks, late and corrected lines, and keys
//! that may see nothing else. The days are those that a test names, for the binary and for the simulator.

mod clock;
