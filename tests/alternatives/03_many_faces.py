"""Right answers to lesson 03 in another style, which every grader must accept."""

# ================ many neurons and what they do
