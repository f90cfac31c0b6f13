

-- down


