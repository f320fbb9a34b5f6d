"""Wrong answers to lesson 03 that students give, each with the sentence that helps."""

# ================ many neurons and what they do
