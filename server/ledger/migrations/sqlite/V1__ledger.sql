-- Ids are blobs, times are milliseconds since 1970, money is minor units. Primary keys start with the owner's id, so
-- that the same tables can be spread over machines.

-- The journal, first half: ops as signed. `answer` is null for applied, else the refusal in CBOR. A sale that first came
-- inside a claim is not kept twice: its `carrier` is the claim's row. An id begins with the time, so that what comes now
-- is found in a few pages, whosever it is.
CREATE TABLE ops (
    seq          INTEGER NOT NULL PRIMARY KEY,
    actor        BLOB    NOT NULL,
    id           BLOB    NOT NULL,
    payload_hash BLOB    NOT NULL,
    signed       BLOB,
    carrier      INTEGER,
    answer       BLOB,
    decided_at   INTEGER NOT NULL,
    UNIQUE (id, actor),
    CHECK ((signed IS NULL) = (carrier IS NOT NULL))
) STRICT;
CREATE INDEX ops_refused ON ops (actor) WHERE answer IS NOT NULL;

-- Counters that a key has used, for ops and for codes, a bit each, 64 to a block. The last block of a key stands with its
-- device; here are those before it.
CREATE TABLE counters (
    key      BLOB    NOT NULL,
    block    INTEGER NOT NULL,   -- counter / 64
    used     INTEGER NOT NULL,   -- the lowest bit is the first of them
    PRIMARY KEY (key, block)
) STRICT, WITHOUT ROWID;

-- The journal, second half: events in the order in which they happened, each with the first of its places: its home.
CREATE TABLE events (
    seq    INTEGER NOT NULL PRIMARY KEY,
    inbox  INTEGER NOT NULL,   -- inboxes.seq
    number INTEGER NOT NULL,
    bytes  BLOB    NOT NULL
) STRICT;

-- Where they landed, numbered within each inbox. The last of an inbox keeps the hash over it and all before it, which is
-- the inbox's head, and so does every 64th, so that a phone far behind need not make the server count from the beginning.
CREATE TABLE inbox_events (
    inbox  INTEGER NOT NULL,   -- inboxes.seq
    number INTEGER NOT NULL,
    event  INTEGER NOT NULL,   -- events.seq
    hash   BLOB,
    head   INTEGER,            -- 1: the last, whose hash is the inbox's head
    PRIMARY KEY (inbox, number),
    CHECK (head IS NULL OR hash IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE inboxes (
    seq   INTEGER NOT NULL PRIMARY KEY,
    inbox BLOB    NOT NULL UNIQUE
) STRICT;

-- Live tables: what the events add up to.
CREATE TABLE devices (
    key        BLOB NOT NULL PRIMARY KEY,
    account    BLOB,               -- null: the server itself
    kind       INTEGER NOT NULL,   -- 0 a phone (the server's own too), 1 a browser, 2 a shop's computer
    until      INTEGER,            -- of a browser
    public_key BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    pays_from  INTEGER NOT NULL,
    revoked_at INTEGER,
    merchant   BLOB,
    staff      INTEGER NOT NULL,   -- it acts there for one of the staff
    left_at    INTEGER,            -- when they left
    cert_until INTEGER,            -- the certificate
    cert_most  INTEGER,
    cert_used  INTEGER,
    counted    INTEGER NOT NULL DEFAULT 0,   -- its last block of counters, as in `counters`
    used       INTEGER NOT NULL DEFAULT 0,
    heard_at   INTEGER NOT NULL DEFAULT 0    -- when the last of its ops was decided that came by itself; 0: none did
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_of_account ON devices (account, key) WHERE account IS NOT NULL;
CREATE INDEX devices_of_merchant ON devices (merchant, key) WHERE merchant IS NOT NULL;

CREATE TABLE merchants (
    id         BLOB    NOT NULL PRIMARY KEY,
    owner      BLOB    NOT NULL,
    profile    BLOB    NOT NULL,   -- MerchantProfile in CBOR
    allowance  INTEGER NOT NULL,   -- what its tills may sell together before they sync
    invited_on INTEGER NOT NULL,   -- the day on which it last invited someone
    invited    INTEGER NOT NULL,   -- how often on that day
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merchants_changed ON merchants (changed_at, id);

CREATE TABLE groups (
    id            BLOB    NOT NULL PRIMARY KEY,
    founder       BLOB    NOT NULL,
    profile       BLOB    NOT NULL,   -- Profile in CBOR
    terms_version INTEGER NOT NULL,
    members       INTEGER NOT NULL,
    admin         BLOB    NOT NULL,
    frozen        BLOB    NOT NULL,   -- members whose lots cannot be used, one id after the other
    redeem_only_from INTEGER,         -- of a group that is closing
    closes_at     INTEGER,
    ended         INTEGER NOT NULL,
    profile_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_closing ON groups (closes_at) WHERE closes_at IS NOT NULL AND NOT ended;

CREATE TABLE terms (
    group_id       BLOB    NOT NULL,
    version        INTEGER NOT NULL,
    terms          BLOB    NOT NULL,   -- Terms in CBOR
    in_force_from  INTEGER NOT NULL,
    in_force_until INTEGER,
    PRIMARY KEY (group_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    group_id      BLOB    NOT NULL,
    merchant      BLOB    NOT NULL,
    joined_at     INTEGER NOT NULL,
    terms_version INTEGER NOT NULL,
    left_at       INTEGER,
    frozen_at     INTEGER,
    PRIMARY KEY (group_id, merchant)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_merchant ON members (merchant, group_id);

-- What is searched of shops and groups, derived from the rows above: an entry each, and a posting for everything that it is
-- and each place where it is that. Terms and cells are numbers (docs/decisions/0016); less stands before more in an order.
CREATE TABLE search_entries (
    id         BLOB    NOT NULL,
    target     INTEGER NOT NULL,   -- 0 a shop, 1 a group
    by_members INTEGER NOT NULL,
    by_rate    INTEGER NOT NULL,
    entry      BLOB    NOT NULL,   -- Entry in CBOR
    PRIMARY KEY (id, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_by_members ON search_entries (target, by_members, id);
CREATE INDEX search_by_rate ON search_entries (target, by_rate, id);

CREATE TABLE search_postings (
    term INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    id   BLOB    NOT NULL,
    PRIMARY KEY (term, cell, id)
) STRICT, WITHOUT ROWID;

-- The terms that were proposed last in each group.
CREATE TABLE amendments (
    group_id BLOB    NOT NULL PRIMARY KEY,
    id       BLOB    NOT NULL,
    terms    BLOB    NOT NULL,   -- Terms in CBOR
    from_at  INTEGER NOT NULL,
    agreed   BLOB    NOT NULL,   -- members, one id after the other
    declined BLOB    NOT NULL,
    decided  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX amendments_due ON amendments (from_at) WHERE NOT decided;

CREATE TABLE invitations (
    issuer   BLOB NOT NULL,
    id       BLOB NOT NULL,
    group_id BLOB,   -- none: to the app
    hash     BLOB,   -- what its link is known by
    shop     BLOB,    -- the shop that is told
    uses     INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    declined INTEGER NOT NULL,
    made_at  INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    revoked  INTEGER NOT NULL,
    PRIMARY KEY (issuer, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_hash ON invitations (hash) WHERE hash IS NOT NULL;
CREATE INDEX invitations_of_shop ON invitations (shop, until) WHERE shop IS NOT NULL;
CREATE INDEX invitations_until ON invitations (issuer, until);

CREATE TABLE join_requests (
    group_id      BLOB NOT NULL,
    merchant      BLOB NOT NULL,
    id            BLOB NOT NULL,
    terms_version INTEGER NOT NULL,
    asked_at      INTEGER NOT NULL,
    for_it        BLOB NOT NULL,
    against       BLOB NOT NULL,
    state         INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (group_id, merchant)
) STRICT, WITHOUT ROWID;
CREATE INDEX join_requests_of_merchant ON join_requests (merchant) WHERE state = 0;
CREATE INDEX join_requests_open ON join_requests (group_id) WHERE state = 0;

CREATE TABLE sales (
    merchant   BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    key        BLOB    NOT NULL,
    amount     INTEGER NOT NULL,
    time       INTEGER NOT NULL,   -- the shop's clock, in seconds
    addressee  BLOB,
    claimed_by BLOB,               -- the lot, and where it is
    claimed_account BLOB,
    claimed_group BLOB,
    waits_until INTEGER,           -- the last instant at which its buyer can choose
    lapsed     INTEGER NOT NULL DEFAULT 0,
    staff      INTEGER NOT NULL,   -- the key is one of the staff's
    voided     INTEGER NOT NULL,
    redemption BLOB,               -- what paid the rest of the purchase
    refunded   INTEGER NOT NULL,   -- of the whole purchase
    money_back INTEGER NOT NULL,   -- of that in money
    unearned   INTEGER NOT NULL,   -- of that before the claim
    clawed     INTEGER NOT NULL,   -- units
    forgone    INTEGER NOT NULL,   -- of them, units that had expired
    UNIQUE (id, merchant)
) STRICT;
CREATE INDEX sales_waiting_of ON sales (addressee, time)
    WHERE waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided;
CREATE INDEX sales_waiting_until ON sales (waits_until)
    WHERE waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided;

CREATE TABLE lots (
    account       BLOB    NOT NULL,
    group_id      BLOB    NOT NULL,
    id            BLOB    NOT NULL,
    issuer        BLOB    NOT NULL,
    sale          BLOB    NOT NULL,
    units         INTEGER NOT NULL CHECK (units > 0),
    remaining     INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND units),
    held          INTEGER NOT NULL CHECK (held BETWEEN 0 AND remaining),
    unit_value    INTEGER NOT NULL,
    basis         INTEGER NOT NULL,   -- 0 on issue, 1 on redemption
    terms_version INTEGER NOT NULL,
    issued_at     INTEGER NOT NULL,
    last_day      INTEGER NOT NULL,   -- days since 1970
    ends_at       INTEGER NOT NULL,
    unit          INTEGER NOT NULL,   -- 0 points, -1 coupons, -2 reserve, else stamps: so many fill a card
    expired       INTEGER NOT NULL,
    revives       BLOB,               -- the lot in whose place it stands
    PRIMARY KEY (account, group_id, id)
) STRICT, WITHOUT ROWID;
-- What is issued now stands together at the end of those that end with it.
CREATE INDEX lots_by_end ON lots (ends_at, issued_at) WHERE remaining > held;

CREATE TABLE standings (
    account BLOB    NOT NULL PRIMARY KEY,
    choice  BLOB    NOT NULL,   -- StandingChoice in CBOR
    best    INTEGER NOT NULL,   -- as in the choice, to be found by
    since   INTEGER NOT NULL,
    marketing BLOB  NOT NULL    -- Marketing in CBOR
) STRICT, WITHOUT ROWID;

-- Who sells, or sold, for a shop that is not theirs; and what each sold on a day.
CREATE TABLE staff (
    merchant  BLOB    NOT NULL,
    account   BLOB    NOT NULL,
    key       BLOB    NOT NULL,
    per_sale  INTEGER NOT NULL,
    per_day   INTEGER NOT NULL,
    joined_at INTEGER NOT NULL,
    left_at   INTEGER,
    PRIMARY KEY (merchant, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE staff_days (
    merchant BLOB    NOT NULL,
    account  BLOB    NOT NULL,
    day      INTEGER NOT NULL,   -- days since 1970
    sold     INTEGER NOT NULL,
    PRIMARY KEY (merchant, account, day)
) STRICT, WITHOUT ROWID;

-- Mileage reserved for a till.
CREATE TABLE passes (
    merchant BLOB    NOT NULL,
    id       BLOB    NOT NULL,
    till     BLOB    NOT NULL,
    account  BLOB    NOT NULL,
    key      BLOB    NOT NULL,
    group_id BLOB    NOT NULL,
    held     BLOB    NOT NULL,   -- the lots, as a list of Allocation in CBOR
    expires  INTEGER NOT NULL,   -- seconds
    state    INTEGER NOT NULL,   -- 0 open, 1 spent, 2 released
    made_at  INTEGER NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX passes_open ON passes (account, group_id, id) WHERE state = 0;
CREATE INDEX passes_of_account ON passes (account, expires);
CREATE INDEX passes_of_till ON passes (till, expires);
CREATE INDEX passes_over ON passes (expires) WHERE state = 0;

-- Mileage reserved for a shop, until it is captured.
CREATE TABLE holds (
    merchant BLOB    NOT NULL,
    id       BLOB    NOT NULL,
    account  BLOB    NOT NULL,
    group_id BLOB    NOT NULL,
    held     BLOB    NOT NULL,   -- the lots, as a list of Allocation in CBOR
    made_at  INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    state    INTEGER NOT NULL,   -- 0 open, 1 captured, 2 voided, 3 lapsed
    till     BLOB,
    PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_of_account ON holds (account, id) WHERE state = 0;
CREATE INDEX holds_of_merchant ON holds (merchant, id) WHERE state = 0;
CREATE INDEX holds_over ON holds (until) WHERE state = 0;

-- Mileage that shops took, and what of it came back.
CREATE TABLE redemptions (
    merchant    BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    account     BLOB    NOT NULL,
    group_id    BLOB    NOT NULL,
    made_at     INTEGER NOT NULL,
    allocations BLOB    NOT NULL,   -- a list of Allocation in CBOR
    returned    INTEGER NOT NULL,
    till        BLOB,
    UNIQUE (id, merchant)
) STRICT;

-- What refunds should have taken back and did not find.
CREATE TABLE debts (
    account  BLOB    NOT NULL,
    group_id BLOB    NOT NULL,
    merchant BLOB    NOT NULL,
    unit     INTEGER NOT NULL,   -- as of a lot
    units    INTEGER NOT NULL CHECK (units >= 0),
    since    INTEGER NOT NULL,
    PRIMARY KEY (account, group_id, merchant, unit)
) STRICT, WITHOUT ROWID;

-- Who runs the server for everyone.
CREATE TABLE operators (
    account BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Accounts that have ended.
CREATE TABLE closed (
    account   BLOB    NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    merged_into BLOB,                      -- the account that took over what it held
    forgotten INTEGER NOT NULL DEFAULT 0   -- whether the person was erased
) STRICT, WITHOUT ROWID;
CREATE INDEX closed_to_forget ON closed (account) WHERE NOT forgotten;

-- The books: what the postings add up to, per account. Wallets are the lots.
CREATE TABLE balances (
    group_id BLOB    NOT NULL,
    party    BLOB    NOT NULL,   -- a byte for the kind (0 buyer, 1 member, 2 pool, 3 exchange), then the id
    ledger   INTEGER NOT NULL,   -- 0 issued, 1 wallet, 2 redeemed, 3 expired, 4 position, 5 clawed back, 6 adjusted
    issuer   BLOB    NOT NULL,   -- empty for money
    amount   INTEGER NOT NULL,
    PRIMARY KEY (group_id, party, ledger, issuer)
) STRICT, WITHOUT ROWID;

-- People: beside the journal, erasable.
CREATE TABLE accounts (
    phone_mac BLOB NOT NULL PRIMARY KEY,
    account   BLOB NOT NULL UNIQUE,
    named_at  INTEGER            -- when a sale last named the number; null once its owner has signed up
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_named ON accounts (named_at) WHERE named_at IS NOT NULL;

-- The second proof of an account, as an HMAC.
CREATE TABLE recoveries (
    account BLOB    NOT NULL PRIMARY KEY,
    mac     BLOB    NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0   -- wrong ones since the last right one
) STRICT, WITHOUT ROWID;

-- What a person calls their devices, and when each was last seen.
CREATE TABLE known_devices (
    account BLOB    NOT NULL,
    key     BLOB    NOT NULL,
    name    TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

-- The handle that a person's member codes bear.
CREATE TABLE member_tags (
    tag     BLOB NOT NULL PRIMARY KEY,
    account BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

-- What twelve digits stand for, under an HMAC of the digits.
CREATE TABLE one_time_codes (
    mac        BLOB    NOT NULL PRIMARY KEY,
    account    BLOB    NOT NULL,
    code       BLOB,               -- the redemption code as signed; null: the digits name the buyer of a sale
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    kept_until INTEGER NOT NULL,
    taken_by   BLOB                -- a shop, or the key and the id of the op of a sale
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_codes_of ON one_time_codes (account, made_at);
CREATE INDEX one_time_codes_kept ON one_time_codes (kept_until);

-- The ways of invitations to people.
CREATE TABLE invitation_traces (
    issuer       BLOB NOT NULL,
    invitation   BLOB NOT NULL,
    code_mac     BLOB,
    channel      BLOB,
    contact_mac  BLOB,
    contact      BLOB,
    sent_at      INTEGER,
    delivered_at INTEGER,
    opened       INTEGER NOT NULL,
    opened_at    INTEGER,
    claimed_at   INTEGER,
    begun_at     INTEGER NOT NULL,
    PRIMARY KEY (issuer, invitation)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_traces_by_code ON invitation_traces (code_mac) WHERE code_mac IS NOT NULL;
CREATE INDEX invitation_traces_of_contact ON invitation_traces (contact_mac, sent_at) WHERE contact_mac IS NOT NULL;
CREATE INDEX invitation_traces_begun ON invitation_traces (begun_at);

-- Pictures of groups.
CREATE TABLE pictures (
    id      BLOB    NOT NULL PRIMARY KEY,   -- of the JPEG's SHA-256
    account BLOB    NOT NULL,               -- who sent it
    jpeg    BLOB    NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pictures_of ON pictures (account, made_at);

-- Digits and codes that stood for nothing, by the shop or the account that tried them.
CREATE TABLE wrong_digits (
    asker    BLOB    NOT NULL,
    mac      BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (asker, mac)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolments (
    id         BLOB    NOT NULL PRIMARY KEY,
    phone_mac  BLOB    NOT NULL,
    public_key BLOB    NOT NULL,
    code_mac   BLOB    NOT NULL,
    address_mac BLOB,              -- of the network address that asked
    dial_code  INTEGER NOT NULL,   -- the number's country calling code
    begun_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    account    BLOB,               -- set by the right code
    begins     INTEGER NOT NULL DEFAULT 0,   -- whether that account began with it
    proved     INTEGER NOT NULL DEFAULT 0    -- whether its recovery code was shown
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_of_phone ON enrolments (phone_mac, begun_at);
CREATE INDEX enrolments_of_key ON enrolments (public_key, begun_at);
CREATE INDEX enrolments_of_address ON enrolments (address_mac, begun_at) WHERE address_mac IS NOT NULL;
CREATE INDEX enrolments_of_dial_code ON enrolments (dial_code, begun_at);
CREATE INDEX enrolments_begun ON enrolments (begun_at);

-- A device reads in one session at a time, by a key that it vouched for.
CREATE TABLE sessions (
    key          BLOB    NOT NULL PRIMARY KEY,
    account      BLOB    NOT NULL,
    thumbprint   BLOB    NOT NULL,   -- of the session key (RFC 7638)
    refresh_hash BLOB    NOT NULL UNIQUE,
    until        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_until ON sessions (until);

-- Access tokens by their SHA-256: good for the session with that thumbprint only.
CREATE TABLE tokens (
    hash       BLOB    NOT NULL PRIMARY KEY,
    key        BLOB    NOT NULL,
    thumbprint BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of ON tokens (key, expires_at);
CREATE INDEX tokens_expire ON tokens (expires_at);

CREATE TABLE effects (
    id       BLOB    NOT NULL PRIMARY KEY,
    kind     TEXT    NOT NULL,
    payload  TEXT    NOT NULL,
    due_at   INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX effects_due ON effects (due_at) WHERE done_at IS NULL;

-- What the pepper is known by, an HMAC of nothing in particular: one row. A server with another pepper would find nobody's number.
CREATE TABLE peppers (
    mac BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
