-- Ids are bytea, times are milliseconds since 1970, money is minor units. Every primary key starts with the owner's id, so that
-- the same tables can be spread over machines: no sequence, no trigger, no foreign key, no unique index beside it. What the
-- columns mean where their names do not say it stands in SQLite's migration of the same number.

-- Whoever has it locked commits a batch. Without rows.
CREATE TABLE turns (
    turn bytea NOT NULL PRIMARY KEY
);

-- The journal, first half: ops as signed. `answer` is null for applied. A sale that first came inside a claim is not kept twice:
-- its carrier is the claim, by its key and id.
CREATE TABLE ops (
    actor         bytea  NOT NULL,
    id            bytea  NOT NULL,
    payload_hash  bytea  NOT NULL,
    signed        bytea,
    carrier_actor bytea,
    carrier_id    bytea,
    answer        bytea,
    decided_at    bigint NOT NULL,
    PRIMARY KEY (actor, id),
    CHECK ((signed IS NULL) = (carrier_actor IS NOT NULL AND carrier_id IS NOT NULL))
);

CREATE TABLE counters (
    key     bytea  NOT NULL,
    counter bigint NOT NULL,
    PRIMARY KEY (key, counter)
);

-- The journal, second half: events, under the name of each inbox they landed in. The first of an event's inboxes is its home and
-- keeps the bytes; the others point there.
CREATE TABLE inbox_events (
    inbox       bytea  NOT NULL,   -- Inbox in CBOR
    bytes       bytea,
    home        bytea,
    hash        bytea,
    number      bigint NOT NULL,
    home_number bigint,
    PRIMARY KEY (inbox, number),
    CHECK ((bytes IS NULL) = (home IS NOT NULL AND home_number IS NOT NULL))
);

CREATE TABLE inboxes (
    inbox bytea  NOT NULL PRIMARY KEY,
    hash  bytea  NOT NULL,
    count bigint NOT NULL
) WITH (fillfactor = 50);

-- Live tables: what the events add up to.
CREATE TABLE devices (
    key         bytea   NOT NULL PRIMARY KEY,
    account     bytea,
    public_key  bytea   NOT NULL,
    merchant    bytea,
    kind        bigint  NOT NULL,
    until       bigint,
    enrolled_at bigint  NOT NULL,
    pays_from   bigint  NOT NULL,
    revoked_at  bigint,
    left_at     bigint,
    cert_until  bigint,
    cert_most   bigint,
    cert_used   bigint,
    staff       boolean NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX devices_of_account ON devices (account, key) WHERE account IS NOT NULL;
CREATE INDEX devices_of_merchant ON devices (merchant, key) WHERE merchant IS NOT NULL;
CREATE INDEX devices_of_system ON devices (key) WHERE account IS NULL;

CREATE TABLE merchants (
    id         bytea  NOT NULL PRIMARY KEY,
    owner      bytea  NOT NULL,
    profile    bytea  NOT NULL,
    allowance  bigint NOT NULL,
    invited_on bigint NOT NULL,
    invited    bigint NOT NULL,
    changed_at bigint NOT NULL
);
CREATE INDEX merchants_changed ON merchants (changed_at, id);

CREATE TABLE groups (
    id            bytea  NOT NULL PRIMARY KEY,
    founder       bytea  NOT NULL,
    profile       bytea  NOT NULL,
    admin         bytea  NOT NULL,
    frozen        bytea  NOT NULL,
    terms_version bigint NOT NULL,
    members       bigint NOT NULL,
    redeem_only_from bigint,
    closes_at     bigint,
    ended         boolean NOT NULL,
    profile_version bigint NOT NULL
);
CREATE INDEX groups_closing ON groups (closes_at) WHERE closes_at IS NOT NULL AND NOT ended;

CREATE TABLE terms (
    group_id       bytea  NOT NULL,
    terms          bytea  NOT NULL,
    version        bigint NOT NULL,
    in_force_from  bigint NOT NULL,
    in_force_until bigint,
    PRIMARY KEY (group_id, version)
);

CREATE TABLE members (
    group_id      bytea  NOT NULL,
    merchant      bytea  NOT NULL,
    joined_at     bigint NOT NULL,
    terms_version bigint NOT NULL,
    left_at       bigint,
    frozen_at     bigint,
    PRIMARY KEY (group_id, merchant)
);
CREATE INDEX members_of_merchant ON members (merchant, group_id);

CREATE TABLE search_entries (
    id         bytea  NOT NULL,
    entry      bytea  NOT NULL,
    target     bigint NOT NULL,
    by_members bigint NOT NULL,
    by_rate    bigint NOT NULL,
    PRIMARY KEY (id, target)
);
CREATE INDEX search_by_members ON search_entries (target, by_members, id);
CREATE INDEX search_by_rate ON search_entries (target, by_rate, id);

CREATE TABLE search_postings (
    term bigint NOT NULL,
    cell bigint NOT NULL,
    id   bytea  NOT NULL,
    PRIMARY KEY (term, cell, id)
);

CREATE TABLE amendments (
    group_id bytea   NOT NULL PRIMARY KEY,
    id       bytea   NOT NULL,
    terms    bytea   NOT NULL,
    agreed   bytea   NOT NULL,
    declined bytea   NOT NULL,
    from_at  bigint  NOT NULL,
    decided  boolean NOT NULL
);
CREATE INDEX amendments_due ON amendments (from_at) WHERE NOT decided;

CREATE TABLE invitations (
    issuer   bytea NOT NULL,
    id       bytea NOT NULL,
    group_id bytea,
    hash     bytea,
    shop     bytea,
    uses     bigint NOT NULL,
    used     bigint NOT NULL,
    declined bigint NOT NULL,
    made_at  bigint NOT NULL,
    until    bigint NOT NULL,
    revoked  boolean NOT NULL,
    PRIMARY KEY (issuer, id)
);
CREATE INDEX invitations_by_hash ON invitations (hash) WHERE hash IS NOT NULL;
CREATE INDEX invitations_of_shop ON invitations (shop, until) WHERE shop IS NOT NULL;
CREATE INDEX invitations_until ON invitations (issuer, until);

CREATE TABLE join_requests (
    group_id      bytea NOT NULL,
    merchant      bytea NOT NULL,
    id            bytea NOT NULL,
    terms_version bigint NOT NULL,
    asked_at      bigint NOT NULL,
    for_it        bytea NOT NULL,
    against       bytea NOT NULL,
    state         bigint NOT NULL,
    ended_at      bigint,
    PRIMARY KEY (group_id, merchant)
);
CREATE INDEX join_requests_of_merchant ON join_requests (merchant) WHERE state = 0;
CREATE INDEX join_requests_open ON join_requests (group_id) WHERE state = 0;

CREATE TABLE sales (
    merchant    bytea   NOT NULL,
    id          bytea   NOT NULL,
    key         bytea   NOT NULL,
    addressee   bytea,
    claimed_by  bytea,
    claimed_account bytea,
    claimed_group   bytea,
    redemption  bytea,
    amount      bigint  NOT NULL,
    time        bigint  NOT NULL,
    waits_until bigint,
    refunded    bigint  NOT NULL,
    money_back  bigint  NOT NULL,
    unearned    bigint  NOT NULL,
    clawed      bigint  NOT NULL,
    forgone     bigint  NOT NULL,
    lapsed      boolean NOT NULL,
    staff       boolean NOT NULL,
    voided      boolean NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX sales_waiting_of ON sales (addressee, time)
    WHERE waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided;
CREATE INDEX sales_waiting_until ON sales (waits_until)
    WHERE waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided;

CREATE TABLE lots (
    account       bytea  NOT NULL,
    group_id      bytea  NOT NULL,
    id            bytea  NOT NULL,
    issuer        bytea  NOT NULL,
    sale          bytea  NOT NULL,
    revives       bytea,
    units         bigint NOT NULL CHECK (units > 0),
    remaining     bigint NOT NULL CHECK (remaining BETWEEN 0 AND units),
    held          bigint NOT NULL CHECK (held BETWEEN 0 AND remaining),
    unit_value    bigint NOT NULL,
    basis         bigint NOT NULL,
    terms_version bigint NOT NULL,
    issued_at     bigint NOT NULL,
    last_day      bigint NOT NULL,
    ends_at       bigint NOT NULL,
    unit          bigint NOT NULL,
    expired       bigint NOT NULL,
    -- Whether anything may expire. A column of its own: a part taken from a lot changes nothing that an index looks at.
    expires       boolean NOT NULL GENERATED ALWAYS AS (remaining > held) STORED,
    PRIMARY KEY (account, group_id, id)
) WITH (fillfactor = 90);
CREATE INDEX lots_by_end ON lots (ends_at) WHERE expires;

CREATE TABLE standings (
    account bytea   NOT NULL PRIMARY KEY,
    choice  bytea   NOT NULL,
    since   bigint  NOT NULL,
    best    boolean NOT NULL,
    marketing bytea NOT NULL
);

CREATE TABLE staff (
    merchant  bytea  NOT NULL,
    account   bytea  NOT NULL,
    key       bytea  NOT NULL,
    per_sale  bigint NOT NULL,
    per_day   bigint NOT NULL,
    joined_at bigint NOT NULL,
    left_at   bigint,
    PRIMARY KEY (merchant, account)
);

CREATE TABLE staff_days (
    merchant bytea  NOT NULL,
    account  bytea  NOT NULL,
    day      bigint NOT NULL,
    sold     bigint NOT NULL,
    PRIMARY KEY (merchant, account, day)
);

CREATE TABLE passes (
    merchant bytea  NOT NULL,
    id       bytea  NOT NULL,
    till     bytea  NOT NULL,
    account  bytea  NOT NULL,
    key      bytea  NOT NULL,
    group_id bytea  NOT NULL,
    held     bytea  NOT NULL,
    expires  bigint NOT NULL,
    state    bigint NOT NULL,
    made_at  bigint NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX passes_open ON passes (account, group_id, id) WHERE state = 0;
CREATE INDEX passes_of_account ON passes (account, expires);
CREATE INDEX passes_of_till ON passes (till, expires);
CREATE INDEX passes_over ON passes (expires) WHERE state = 0;

CREATE TABLE holds (
    merchant bytea  NOT NULL,
    id       bytea  NOT NULL,
    account  bytea  NOT NULL,
    group_id bytea  NOT NULL,
    held     bytea  NOT NULL,
    till     bytea,
    made_at  bigint NOT NULL,
    until    bigint NOT NULL,
    state    bigint NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX holds_of_account ON holds (account, id) WHERE state = 0;
CREATE INDEX holds_of_merchant ON holds (merchant, id) WHERE state = 0;
CREATE INDEX holds_over ON holds (until) WHERE state = 0;

CREATE TABLE redemptions (
    merchant    bytea  NOT NULL,
    id          bytea  NOT NULL,
    account     bytea  NOT NULL,
    group_id    bytea  NOT NULL,
    allocations bytea  NOT NULL,
    till        bytea,
    made_at     bigint NOT NULL,
    returned    bigint NOT NULL,
    PRIMARY KEY (merchant, id)
);

CREATE TABLE debts (
    account  bytea  NOT NULL,
    group_id bytea  NOT NULL,
    merchant bytea  NOT NULL,
    unit     bigint NOT NULL,
    units    bigint NOT NULL CHECK (units >= 0),
    since    bigint NOT NULL,
    PRIMARY KEY (account, group_id, merchant, unit)
);

CREATE TABLE operators (
    account bytea NOT NULL PRIMARY KEY
);

CREATE TABLE closed (
    account   bytea   NOT NULL PRIMARY KEY,
    merged_into bytea,
    at        bigint  NOT NULL,
    forgotten boolean NOT NULL DEFAULT false
);
CREATE INDEX closed_to_forget ON closed (account) WHERE NOT forgotten;

CREATE TABLE balances (
    group_id bytea  NOT NULL,
    party    bytea  NOT NULL,
    issuer   bytea  NOT NULL,
    ledger   bigint NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (group_id, party, ledger, issuer)
) WITH (fillfactor = 50);

-- People: beside the journal, erasable.
CREATE TABLE accounts (
    phone_mac bytea  NOT NULL PRIMARY KEY,
    account   bytea  NOT NULL,
    named_at  bigint
);
CREATE INDEX accounts_of ON accounts (account);
CREATE INDEX accounts_named ON accounts (named_at) WHERE named_at IS NOT NULL;

CREATE TABLE recoveries (
    account bytea  NOT NULL PRIMARY KEY,
    mac     bytea  NOT NULL,
    tries   bigint NOT NULL
);

CREATE TABLE known_devices (
    account bytea  NOT NULL,
    key     bytea  NOT NULL,
    name    bytea  NOT NULL,   -- UTF-8: PostgreSQL's own texts have no zero character, people's may
    since   bigint NOT NULL,
    seen    bigint NOT NULL,
    PRIMARY KEY (account, key)
);

CREATE TABLE member_tags (
    tag     bytea NOT NULL PRIMARY KEY,
    account bytea NOT NULL
);
CREATE INDEX member_tags_of ON member_tags (account);

CREATE TABLE one_time_codes (
    mac        bytea  NOT NULL PRIMARY KEY,
    account    bytea  NOT NULL,
    code       bytea,
    taken_by   bytea,
    made_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    kept_until bigint NOT NULL
);
CREATE INDEX one_time_codes_of ON one_time_codes (account, made_at);
CREATE INDEX one_time_codes_kept ON one_time_codes (kept_until);

-- The ways of invitations to people.
CREATE TABLE invitation_traces (
    issuer       bytea NOT NULL,
    invitation   bytea NOT NULL,
    code_mac     bytea,
    channel      bytea,
    contact_mac  bytea,
    contact      bytea,
    sent_at      bigint,
    delivered_at bigint,
    opened       bigint NOT NULL,
    opened_at    bigint,
    claimed_at   bigint,
    begun_at     bigint NOT NULL,
    PRIMARY KEY (issuer, invitation)
);
CREATE INDEX invitation_traces_by_code ON invitation_traces (code_mac) WHERE code_mac IS NOT NULL;
CREATE INDEX invitation_traces_of_contact ON invitation_traces (contact_mac, sent_at) WHERE contact_mac IS NOT NULL;
CREATE INDEX invitation_traces_begun ON invitation_traces (begun_at);

CREATE TABLE pictures (
    id      bytea  NOT NULL PRIMARY KEY,
    account bytea  NOT NULL,
    jpeg    bytea  NOT NULL,
    made_at bigint NOT NULL
);
CREATE INDEX pictures_of ON pictures (account, made_at);

CREATE TABLE wrong_digits (
    asker    bytea  NOT NULL,
    mac      bytea  NOT NULL,
    at       bigint NOT NULL,
    PRIMARY KEY (asker, mac)
);
CREATE INDEX wrong_digits_at ON wrong_digits (at);

CREATE TABLE enrolments (
    id          bytea   NOT NULL PRIMARY KEY,
    phone_mac   bytea   NOT NULL,
    public_key  bytea   NOT NULL,
    code_mac    bytea   NOT NULL,
    address_mac bytea,
    account     bytea,
    dial_code   bigint  NOT NULL,
    begun_at    bigint  NOT NULL,
    expires_at  bigint  NOT NULL,
    tries       bigint  NOT NULL DEFAULT 0,
    begins      boolean NOT NULL DEFAULT false,
    proved      boolean NOT NULL DEFAULT false
);
CREATE INDEX enrolments_of_phone ON enrolments (phone_mac, begun_at);
CREATE INDEX enrolments_of_key ON enrolments (public_key, begun_at);
CREATE INDEX enrolments_of_address ON enrolments (address_mac, begun_at) WHERE address_mac IS NOT NULL;
CREATE INDEX enrolments_of_dial_code ON enrolments (dial_code, begun_at);
CREATE INDEX enrolments_begun ON enrolments (begun_at);

CREATE TABLE sessions (
    key          bytea  NOT NULL PRIMARY KEY,
    account      bytea  NOT NULL,
    thumbprint   bytea  NOT NULL,
    refresh_hash bytea  NOT NULL,
    until        bigint NOT NULL
);
CREATE INDEX sessions_of_refresh ON sessions (refresh_hash);
CREATE INDEX sessions_until ON sessions (until);

CREATE TABLE tokens (
    hash       bytea  NOT NULL PRIMARY KEY,
    key        bytea  NOT NULL,
    thumbprint bytea  NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX tokens_of ON tokens (key, expires_at);
CREATE INDEX tokens_expire ON tokens (expires_at);

CREATE TABLE effects (
    id       bytea  NOT NULL PRIMARY KEY,
    kind     bytea  NOT NULL,   -- UTF-8
    payload  bytea  NOT NULL,   -- UTF-8
    due_at   bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    done_at  bigint
);
CREATE INDEX effects_due ON effects (due_at) WHERE done_at IS NULL;

-- What the pepper is known by, an HMAC of nothing in particular: one row. A server with another pepper would find nobody's number.
CREATE TABLE peppers (
    mac bytea NOT NULL PRIMARY KEY
);
