-- What the scripts find: an inbox of every buyer, and a lot of every buyer in the group of the buyer's shop and in the first. (`:buyers` is put in.)
INSERT INTO inboxes (inbox, hash, count)
    SELECT '\x820150'::bytea || int8send(buyer) || int8send(0), decode(repeat('00', 32), 'hex'), 0
    FROM generate_series(0, :buyers - 1) AS buyer;
INSERT INTO lots (account, group_id, id, issuer, sale, units, remaining, held, unit_value, basis, terms_version, issued_at,
        last_day, ends_at, unit, expired)
    SELECT int8send(buyer) || int8send(0), int8send(alley) || int8send(0), int8send(0) || int8send(0),
        int8send(buyer / 20) || int8send(0), int8send(buyer) || int8send(1), 1000000, 1000000, 0, 1, 0, 1, 1795000000000, 21000,
        1815000000000, 0, 0
    FROM generate_series(0, :buyers - 1) AS buyer,
        LATERAL (SELECT DISTINCT unnest(ARRAY[0, buyer / 200]) AS alley) AS alleys;
