-- A sale and its claim as the ledger writes them: the same rows of the same widths, a statement each, no reads and no decisions.
-- Heads are locked in one order, so that nobody waits in a circle. `shops`: how many take part; `buyers`: how many there are.
\set buyer random(0, :buyers - 1)
\set shop random(0, :shops - 1)
\set alley :shop / 10
\set sale random(1, 9000000000000000000)
\set claim random(1, 9000000000000000000)
BEGIN;
INSERT INTO ops (actor, id, payload_hash, carrier_actor, carrier_id, decided_at)
    VALUES (int8send(:shop), int8send(:sale) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', int8send(:buyer), int8send(:claim) || int8send(0), 1795000000000);
INSERT INTO ops (actor, id, payload_hash, signed, decided_at)
    VALUES (int8send(:buyer), int8send(:claim) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', convert_to(repeat('x', 330), 'UTF8'), 1795000000000);
INSERT INTO counters (key, counter) VALUES (int8send(:shop), :sale);
INSERT INTO counters (key, counter) VALUES (int8send(:buyer), :claim);
INSERT INTO inboxes (inbox, hash, count) VALUES ('\x820150'::bytea || int8send(:buyer) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 1)
    ON CONFLICT (inbox) DO UPDATE SET hash = excluded.hash, count = inboxes.count + 1 RETURNING count AS account_number \gset
INSERT INTO inboxes (inbox, hash, count) VALUES ('\x820250'::bytea || int8send(:shop) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 2)
    ON CONFLICT (inbox) DO UPDATE SET hash = excluded.hash, count = inboxes.count + 2 RETURNING count AS shop_number \gset
INSERT INTO inbox_events (inbox, number, bytes)
    VALUES ('\x820250'::bytea || int8send(:shop) || int8send(0), :shop_number - 1, convert_to(repeat('x', 100), 'UTF8'));
INSERT INTO inbox_events (inbox, number, bytes)
    VALUES ('\x820150'::bytea || int8send(:buyer) || int8send(0), :account_number, convert_to(repeat('x', 180), 'UTF8'));
INSERT INTO inbox_events (inbox, number, home, home_number)
    VALUES ('\x820250'::bytea || int8send(:shop) || int8send(0), :shop_number, '\x820150'::bytea || int8send(:buyer) || int8send(0), :account_number);
INSERT INTO sales (merchant, id, key, claimed_by, claimed_account, claimed_group, amount, time, refunded, money_back, unearned, clawed, forgone, lapsed, staff, voided)
    VALUES (int8send(:shop) || int8send(0), int8send(:sale) || int8send(0), int8send(:shop), int8send(:claim) || int8send(0), int8send(:buyer) || int8send(0), int8send(:alley) || int8send(0), 100, 1795000000, 0, 0, 0, 0, 0, false, false, false);
INSERT INTO lots (account, group_id, id, issuer, sale, units, remaining, held, unit_value, basis, terms_version, issued_at, last_day, ends_at, unit, expired)
    VALUES (int8send(:buyer) || int8send(0), int8send(:alley) || int8send(0), int8send(:claim) || int8send(0), int8send(:shop) || int8send(0), int8send(:sale) || int8send(0), 1, 1, 0, 1, 0, 1, 1795000000000, 21000, 1815000000000, 0, 0);
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x820150'::bytea || int8send(:shop) || int8send(0), int8send(:shop) || int8send(0), 1, 1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x820150'::bytea || int8send(:shop) || int8send(0), '\x', 7, 1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x8102', '\x', 7, -1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
COMMIT;
