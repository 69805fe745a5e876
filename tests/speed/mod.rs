//! What a record costs, in instructions beside the least that could do the work. No clock is asked, so that a busy
//! machine changes nothing.

use std::io::{self, Write};

use side_by_side::instructions::{MOST, a_record, can_count};

/// The binary is that of the wheel: what is released is what is measured.
#[test]
fn a_record_costs_few_instructions_beside_the_least_that_could_do_the_work() {
    if !can_count() {
        let words = "instructions are not counted, because this is missing: valgrind\n";
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{words}");
        // Said also if the test passes, when what is printed is not shown.
        io::stderr().write_all(words.as_bytes()).unwrap();
        return;
    }
    let [ours, floors] = a_record();
    let ratio = ours / floors;
    println!("instructions a record: {ours:.0}, floor {floors:.0}, ratio {ratio:.2}");
    assert!(ratio <= MOST, "{ours:.0} instructions a record are {ratio:.2} times the floor's {floors:.0}");
}
