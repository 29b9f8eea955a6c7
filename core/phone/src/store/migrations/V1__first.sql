-- Ids, keys and signed bytes are BLOBs; instants are milliseconds since 1970.

-- What there is one of: account, cursor, clock. See store/meta.rs for the names.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What nobody else may read, sealed with the data key for its row: nonce, ciphertext, tag. See store/secrets.rs.
CREATE TABLE secret (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The last counter taken, by key. Persisted before it is signed with.
CREATE TABLE counter (
    key  BLOB PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every op that this phone signed, and what the server said.
CREATE TABLE outbox (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    op              BLOB    NOT NULL UNIQUE,
    actor           BLOB    NOT NULL,
    counter         INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    bytes           BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'applied', 'refused')),
    refusal         TEXT,                        -- JSON, if refused
    dismissed       INTEGER NOT NULL DEFAULT 0,  -- the refusal was read
    not_before      INTEGER NOT NULL DEFAULT 0,  -- not sent before, by the phone's clock
    quiet           INTEGER NOT NULL DEFAULT 0,  -- nobody asked for it: its refusal is not shown
    before_snapshot INTEGER NOT NULL DEFAULT 0,  -- its event may lie before the snapshot that was taken
    again           INTEGER NOT NULL DEFAULT 0,  -- sent again, because the server went back
    mileage         TEXT,                        -- the kind of the units that it names, in JSON
    UNIQUE (actor, counter)
) STRICT;
CREATE INDEX outbox_by_state ON outbox (state, kind, seq);

-- Phone numbers that unanswered sales name. Each goes with the answer to its op.
CREATE TABLE typed_number (
    op     BLOB PRIMARY KEY REFERENCES outbox (op),
    sealed BLOB NOT NULL  -- salt and number, for this row
) STRICT, WITHOUT ROWID;

-- What ops would change. Settled in the transaction that applies their event; gone at a refusal.
CREATE TABLE pending (
    op      BLOB PRIMARY KEY REFERENCES outbox (op),
    "group" BLOB,
    units   INTEGER,
    unit    TEXT,  -- what a unit is, in JSON; none for points
    settled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_unsettled ON pending (op) WHERE NOT settled;

-- Inboxes: how far they were followed, and the events as received.
CREATE TABLE inbox (
    name      BLOB PRIMARY KEY,
    count     INTEGER NOT NULL,
    hash      BLOB    NOT NULL,
    set_aside INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox_event (
    inbox  BLOB    NOT NULL,
    number INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    known  INTEGER NOT NULL,  -- 0: of a kind that this app could not read
    hash   BLOB    NOT NULL,  -- over it and all before it
    PRIMARY KEY (inbox, number)
) STRICT, WITHOUT ROWID;

-- The buyer's lots with something left, in CBOR.
CREATE TABLE lot (
    id      BLOB PRIMARY KEY,
    "group" BLOB NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_by_group ON lot ("group");

-- What happened to the buyer's mileage, for screens: the row in JSON.
CREATE TABLE history (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    "group" BLOB    NOT NULL,
    op      BLOB    NOT NULL,
    place   INTEGER NOT NULL,  -- among the events of its op
    part    INTEGER NOT NULL,  -- among the rows of its event
    body    TEXT    NOT NULL,
    UNIQUE (op, place, part)
) STRICT;
CREATE INDEX history_by_group ON history ("group", seq);

-- What the buyer owes, in JSON.
CREATE TABLE debt (
    "group"  BLOB NOT NULL,
    merchant BLOB NOT NULL,
    unit     TEXT NOT NULL,  -- in JSON; null for points
    body     TEXT NOT NULL,
    PRIMARY KEY ("group", merchant, unit)
) STRICT, WITHOUT ROWID;

-- Open holds: those of the buyer's own lots, and those of this shop. In JSON.
CREATE TABLE hold (
    id   BLOB PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Vouchers that this phone has claimed.
CREATE TABLE voucher (
    seller BLOB    NOT NULL,  -- the key that signed it
    sale   BLOB    NOT NULL,
    claim  BLOB    NOT NULL REFERENCES outbox (op),
    gone   INTEGER NOT NULL DEFAULT 0,  -- someone else was first
    PRIMARY KEY (seller, sale)
) STRICT, WITHOUT ROWID;
CREATE INDEX voucher_by_claim ON voucher (claim);

-- Sales at shops that wait for this buyer's choice, as the server told.
CREATE TABLE waiting_sale (
    sale     BLOB PRIMARY KEY,
    merchant BLOB    NOT NULL,
    amount   INTEGER NOT NULL,
    time     INTEGER NOT NULL,  -- the shop's clock, in seconds since 1970
    until    INTEGER NOT NULL,
    claim    BLOB,              -- the op that chooses, until it is answered
    at_once  INTEGER NOT NULL DEFAULT 0  -- was chosen for without a question, once
) STRICT, WITHOUT ROWID;

-- The shop's sales.
CREATE TABLE sale (
    op          BLOB PRIMARY KEY,
    merchant    BLOB    NOT NULL,
    key         BLOB    NOT NULL,
    amount      INTEGER NOT NULL,
    time        INTEGER NOT NULL,            -- seconds since 1970
    addressee   BLOB,
    redemption  BLOB,                        -- what paid the rest of the purchase
    staff       INTEGER NOT NULL DEFAULT 0,
    waits_until INTEGER,                     -- the last instant at which its buyer can choose
    lapsed      INTEGER NOT NULL DEFAULT 0,
    voided      INTEGER NOT NULL DEFAULT 0,
    lot         BLOB,                        -- what it became, whose, where, how much of what
    account     BLOB,
    "group"     BLOB,
    units       INTEGER,
    unit        TEXT,
    refunded    INTEGER NOT NULL DEFAULT 0,  -- as of the sale in the rules
    money_back  INTEGER NOT NULL DEFAULT 0,
    unearned    INTEGER NOT NULL DEFAULT 0,
    clawed      INTEGER NOT NULL DEFAULT 0,
    forgone     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_by_time ON sale (time);

-- Mileage that the shop took, or asked for.
CREATE TABLE redemption (
    op          BLOB PRIMARY KEY,
    "group"     BLOB    NOT NULL,
    units       INTEGER NOT NULL,
    unit        TEXT,
    at          INTEGER NOT NULL,
    deadline    INTEGER,                     -- when the buyer's code runs out
    account     BLOB,                        -- once the server has said whose it was
    allocations TEXT,                        -- from which lots, in JSON
    returned    INTEGER NOT NULL DEFAULT 0   -- units that came back
) STRICT, WITHOUT ROWID;
CREATE INDEX redemption_by_time ON redemption (at);

-- Buyers' codes that this phone asked with: a code is good once.
CREATE TABLE asked_with (
    op      BLOB PRIMARY KEY,
    key     BLOB    NOT NULL,
    counter INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX asked_with_by_code ON asked_with (key, counter);

-- What the shop paid back and gave back, by the op that did: a refund in money, a reversal in mileage, often both.
CREATE TABLE refund (
    op     BLOB PRIMARY KEY,
    sale   BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    amount INTEGER NOT NULL,  -- of the whole purchase
    money  INTEGER NOT NULL,  -- of that in money
    taken  INTEGER NOT NULL,  -- units taken back from the buyer
    debt   INTEGER NOT NULL,  -- units that were not there
    unit   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_by_sale ON refund (sale);
CREATE TABLE reversal (
    op         BLOB PRIMARY KEY,
    redemption BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    "group"    BLOB    NOT NULL,
    units      INTEGER NOT NULL,
    unit       TEXT
) STRICT, WITHOUT ROWID;

-- Files of opening balances that were imported, by their hash, and the ops that came of their rows.
CREATE TABLE opening (
    hash    BLOB PRIMARY KEY,
    "group" BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE opening_row (
    op   BLOB PRIMARY KEY REFERENCES outbox (op),
    hash BLOB    NOT NULL,
    line INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_row_by_file ON opening_row (hash, line);

-- Devices that joined the account, until that was read or they were admitted or revoked. In JSON.
CREATE TABLE new_device (
    key  BLOB PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Mileage reserved for tills: the buyer's own passes, and those for this shop. Pass in CBOR.
CREATE TABLE pass (
    id       BLOB PRIMARY KEY,
    body     BLOB NOT NULL,
    taken_by BLOB              -- the op by which this till took it
) STRICT, WITHOUT ROWID;

-- The server's signed word on ops of this phone: approvals and passes, to be shown.
CREATE TABLE given_token (
    op    BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Approvals that this shop has seen.
CREATE TABLE approval (
    op BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The directory as far as this phone has it. Profiles, groups and terms in JSON.
CREATE TABLE merchant (
    id   BLOB PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE merchant_key (
    key        BLOB PRIMARY KEY,
    merchant   BLOB NOT NULL,
    public_key BLOB NOT NULL,
    till       INTEGER NOT NULL  -- a phone at the shop, which takes passes
) STRICT, WITHOUT ROWID;
CREATE INDEX merchant_key_by_merchant ON merchant_key (merchant);
CREATE TABLE "group" (
    id   BLOB PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE terms (
    "group" BLOB    NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY ("group", version)
) STRICT, WITHOUT ROWID;
CREATE TABLE member (
    "group"  BLOB NOT NULL,
    merchant BLOB NOT NULL,
    PRIMARY KEY ("group", merchant)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_merchant ON member (merchant);
-- Terms that are proposed, in JSON.
CREATE TABLE amendment (
    "group" BLOB PRIMARY KEY,
    body    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Invitations by this shop, and those to it in its app, as the server decided them: in CBOR.
CREATE TABLE invitation (
    id   BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Which shops answered them, and how.
CREATE TABLE invitation_answer (
    invitation BLOB NOT NULL,
    merchant   BLOB NOT NULL,
    answer     TEXT NOT NULL,  -- asked, joined, declined
    PRIMARY KEY (invitation, merchant)
) STRICT, WITHOUT ROWID;
-- What this phone alone knows of the invitations that it made. Token and address are sealed for their row.
CREATE TABLE invitation_link (
    op        BLOB PRIMARY KEY,
    token     BLOB NOT NULL,
    shared_by TEXT,     -- the channel whose app was opened with it last, in JSON
    shared_at INTEGER,
    to_send   BLOB,     -- by what and to whom the server is to send it, until it has answered
    sent_by   TEXT,     -- the channel by which the server took it, in JSON
    unsent    TEXT      -- why it did not, in JSON
) STRICT, WITHOUT ROWID;
-- How far the server has seen them get: sealed, for it has addresses and codes in it.
CREATE TABLE invitation_trace (
    invitation BLOB PRIMARY KEY,
    sealed     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Invitations that this person was shown: the server's answer in JSON, with the ticket.
CREATE TABLE invitation_found (
    id   BLOB PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Whom the shop is about to invite, or has invited from this phone. Name and address are sealed for their row.
CREATE TABLE invitee (
    id         BLOB PRIMARY KEY,
    "group"    BLOB,           -- none: to the app
    shop       BLOB,           -- one that Moa knows
    channel    TEXT NOT NULL,  -- in JSON
    sealed     BLOB NOT NULL,
    invitation BLOB            -- the op, once it was made
) STRICT, WITHOUT ROWID;
-- The last request of each shop to join a group: this shop's, and those that it can answer. In JSON.
CREATE TABLE join_request (
    "group"  BLOB NOT NULL,
    merchant BLOB NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY ("group", merchant)
) STRICT, WITHOUT ROWID;

-- When each lane of the sync may ask again.
CREATE TABLE lane (
    name       TEXT PRIMARY KEY,
    failures   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    asked      INTEGER NOT NULL  -- by the server, with Retry-After
) STRICT, WITHOUT ROWID;

-- What this buyer's own purchases tell of where they go: for the choice of a group, on this phone alone.
CREATE TABLE visit (
    merchant BLOB PRIMARY KEY,
    visits   REAL NOT NULL,  -- faded to the last one
    spent    REAL NOT NULL,  -- likewise, in minor units
    first    REAL NOT NULL,  -- in days since 1970
    last     REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- What share of the purchases at a shop goes to each of its groups.
CREATE TABLE habit (
    merchant BLOB    NOT NULL,
    "group"  BLOB    NOT NULL,
    share    REAL    NOT NULL,
    usual    INTEGER NOT NULL,  -- was chosen last
    PRIMARY KEY (merchant, "group")
) STRICT, WITHOUT ROWID;

-- What is done without a question with purchases at one shop: always this group, or (null) always ask.
CREATE TABLE shop_standing (
    merchant BLOB PRIMARY KEY,
    "group"  BLOB
) STRICT, WITHOUT ROWID;
