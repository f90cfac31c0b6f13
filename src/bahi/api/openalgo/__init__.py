"""The API that OpenAlgo's clients speak: its words, shapes and answers, on one House."""
