"""Letters, words and their forms in Russian, Ukrainian and English."""
