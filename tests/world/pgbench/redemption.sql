-- A redemption of one unit as the ledger writes it: the same rows of the same widths, a statement each, no reads and no
-- decisions. Heads are locked in one order, so that nobody waits in a circle. `shops`: 1, or as many as there are.
\set buyer random(0, :buyers - 1)
\set shop CASE WHEN :shops = 1 THEN 0 ELSE :buyer / 20 END
\set alley :shop / 10
\set redemption random(1, 9000000000000000000)
\set code random(1, 9000000000000000000)
BEGIN;
INSERT INTO ops (actor, id, payload_hash, signed, decided_at)
    VALUES (int8send(:shop), int8send(:redemption) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', convert_to(repeat('x', 300), 'UTF8'), 1795000000000);
INSERT INTO counters (key, counter) VALUES (int8send(:shop), :redemption);
INSERT INTO counters (key, counter) VALUES (int8send(:buyer), :code);
INSERT INTO inboxes (inbox, hash, count) VALUES ('\x820150'::bytea || int8send(:buyer) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 1)
    ON CONFLICT (inbox) DO UPDATE SET hash = excluded.hash, count = inboxes.count + 1 RETURNING count AS account_number \gset
INSERT INTO inboxes (inbox, hash, count) VALUES ('\x820250'::bytea || int8send(:shop) || int8send(0), '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 1)
    ON CONFLICT (inbox) DO UPDATE SET hash = excluded.hash, count = inboxes.count + 1 RETURNING count AS shop_number \gset
INSERT INTO inbox_events (inbox, number, bytes)
    VALUES ('\x820150'::bytea || int8send(:buyer) || int8send(0), :account_number, convert_to(repeat('x', 180), 'UTF8'));
INSERT INTO inbox_events (inbox, number, home, home_number)
    VALUES ('\x820250'::bytea || int8send(:shop) || int8send(0), :shop_number, '\x820150'::bytea || int8send(:buyer) || int8send(0), :account_number);
UPDATE lots SET remaining = remaining - 1
    WHERE account = int8send(:buyer) || int8send(0) AND group_id = int8send(:alley) || int8send(0) AND id = int8send(0) || int8send(0);
INSERT INTO redemptions (merchant, id, account, group_id, allocations, made_at, returned)
    VALUES (int8send(:shop) || int8send(0), int8send(:redemption) || int8send(0), int8send(:buyer) || int8send(0), int8send(:alley) || int8send(0), convert_to(repeat('x', 60), 'UTF8'), 1795000000000, 0);
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x820150'::bytea || int8send(:shop) || int8send(0), int8send(:shop) || int8send(0), 3, 1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x820150'::bytea || int8send(:shop) || int8send(0), '\x', 7, 1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
INSERT INTO balances (group_id, party, issuer, ledger, amount)
    VALUES (int8send(:alley) || int8send(0), '\x8102', '\x', 7, -1)
    ON CONFLICT (group_id, party, ledger, issuer) DO UPDATE SET amount = balances.amount + excluded.amount;
COMMIT;
