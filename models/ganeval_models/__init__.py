"""The trainers of the series, one file per paper. ganeval finds them by the entry points `ganeval.models`, never by import."""
