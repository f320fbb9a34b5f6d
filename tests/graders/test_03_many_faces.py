"""Lesson 03: examples, the spectrum, several drawings, directions, what is kept of a picture, many neurons at once."""

# ================ many neurons and what they do
