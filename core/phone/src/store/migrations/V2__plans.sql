-- What this buyer means to buy, noted for themselves: for the choice of a group, on this phone alone.
CREATE TABLE plan (
    id       BLOB PRIMARY KEY,
    merchant BLOB    NOT NULL,
    amount   INTEGER NOT NULL,  -- in minor units
    day      INTEGER NOT NULL,  -- in days since 1970
    noted_at INTEGER NOT NULL   -- in milliseconds since 1970
) STRICT, WITHOUT ROWID;
