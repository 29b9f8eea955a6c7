//! `docs/roles.md` is printed from the table of roles.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use moa_rules::role::{May, Role, Row, TABLE};

/// Whose a thing is that an op names, in a few words, by the op's number.
const WHOSE: [&str; TABLE.len()] = [
    "whatever account",
    "a shop of one's own, opened by it",
    "for one's own shop, which administers it",
    "for one's own shop",
    "of the shop that the key sells for",
    "for one's own wallet, not of a sale of one's own shop",
    "at the shop that the key sells for, on a code that the buyer signed",
    "whatever wallet",
    "of the shop that the key sells for",
    "a sale that waits for oneself",
    "whatever sale",
    "for oneself",
    "whatever sale",
    "whatever sale",
    "a key of one's own; as an owner also those of one's staff and computers; a browser only itself",
    "a new phone of one's own",
    "on an owner's invitation, given to nobody before",
    "oneself; as an owner one's own staff",
    "of the key itself",
    "from one's own wallet",
    "from one's own wallet",
    "reserved for this very till",
    "whatever pass",
    "a browser of one's own; as an owner also a computer of one's own shop",
    "one's own shop, on a further phone",
    "whatever shop",
    "a group that one's own shop administers",
    "whatever account",
    "one's own; not while a key of it acts for a shop",
    "into one's own, on the other account's word",
    "a group that one's own shop administers",
    "for one's own shop, a member",
    "whatever group",
    "for one's own shop, a member",
    "a group that one's own shop administers; another member",
    "whatever member; the server when a settlement is long overdue",
    "a group that one's own shop administers, the last member",
    "whatever group",
    "at the shop that the key sells for, on a code that the buyer signed",
    "made at the shop that the key sells for",
    "made at the shop that the key sells for",
    "whatever hold",
    "taken at the shop that the key sells for",
    "a sale of the shop that the key sells for",
    "a sale of the shop that the key sells for",
    "for one's own shop, to anyone but its owner and staff",
    "issued by one's own shop",
    "for one's own shop, a member",
    "made by one's own shop",
    "for one's own shop, shown or told to it",
    "for one's own shop, a member; that asks to join",
    "a group that one's own shop administers",
    "one's own shop",
    "for oneself",
];

fn page() -> String {
    let mut page = String::from(
        "# Roles\n\n\
        Who may do what to whose things. Printed from `moa_rules::role::TABLE`, through which every decision passes; a test\n\
        sends every cell of it to a server (`every_cell_of_the_table_of_roles_holds_over_http`). Not to be edited:\n\
        `MOA_BLESS=1 cargo test -p moa-rules --test roles` prints it anew.\n\n\
        *own*: to one's own things. *any*: to anyone's. Empty: not at all. A person has several roles at once: an owner is a buyer\n\
        elsewhere, a group's admin is the owner of the shop that administers it, an operator is a buyer too. A browser may do what is\n\
        marked for it, as far as its person may. A clerk, an owner and an operator stop being one at the server's word, at\n\
        once; what a clerk sold before is honoured.\n\n",
    );
    let names = Role::ALL.map(|role| role.name().replace('_', " "));
    writeln!(page, "| op | | {} | whose it is |", names.join(" | ")).unwrap();
    writeln!(page, "|---|---|{}---|", "---|".repeat(names.len())).unwrap();
    for ((kind, may), whose) in TABLE.iter().zip(WHOSE) {
        let cells = may.map(|may| match may {
            May::No => "",
            May::Own => "own",
            May::Any => "any",
        });
        let name = kind.name.replace('_', " ");
        writeln!(page, "| {} | {name} | {} | {whose} |", kind.number, cells.join(" | ")).unwrap();
    }
    page.push_str(
        "\n## What each reads\n\n\
        | | account's inbox, wallet, devices | own till | shop's inbox | groups' inboxes | staff and tills |\n\
        |---|---|---|---|---|---|\n\
        | a person's phone or browser | own | | | | |\n\
        | a clerk's phone | own | own | | the shop's | |\n\
        | an owner's phone or browser | own | | own | the shop's | own |\n\
        | a shop's computer | | | own | the shop's | |\n\
        | an operator | own | | | | |\n\n\
        The directory (shops, groups, the keys that sign sales) is for whoever has a session. Nobody reads another person's inbox,\n\
        wallet, devices or staff, whatever id or cursor they send (`nobody_reads_what_is_another_s_in_any_role`).\n",
    );
    page
}

#[test]
fn the_page_of_roles_is_as_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
    if std::env::var_os("MOA_BLESS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/roles.md is out of date: MOA_BLESS=1 cargo test -p moa-rules --test roles"
    );
}

#[test]
fn what_the_server_does_by_itself_nobody_else_may() {
    let by_server = |row: &&Row| row.1[Role::Server as usize] != May::No;
    for (kind, may) in TABLE.iter().filter(by_server) {
        // Only this one an operator may too.
        let expected = if kind.name == "freeze_member" { 3 } else { 1 };
        let others = may.iter().filter(|may| **may != May::No).count();
        assert_eq!(others, expected, "{}", kind.name);
    }
}
