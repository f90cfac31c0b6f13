ALTER TABLE instruments SET (fillfactor = 45)

-- down

ALTER TABLE instruments RESET (fillfactor)
