import torch

from innervision.models.predictions import top_predictions

NAMES = ["ant", "bee", "cat", "dog"]


def test_probabilities_are_the_softmax_over_all_classes_most_likely_first():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.05, 0.05, 0.2]])) + 5
    first, second = top_predictions(logits, NAMES, count=2)
    assert [name for name, _ in first] == ["dog", "cat"]
    assert [name for name, _ in second] == ["ant", "dog"]
    torch.testing.assert_close([p for _, p in first], [0.4, 0.3], rtol=0, atol=1e-6)
    torch.testing.assert_close([p for _, p in second], [0.7, 0.2], rtol=0, atol=1e-6)


def test_three_are_listed_by_default_as_plain_python_values():
    ((*pairs,),) = top_predictions(torch.zeros(1, 4), NAMES)
    assert len(pairs) == 3
    assert all(type(name) is str and type(probability) is float for name, probability in pairs)


def test_all_classes_sum_to_one_and_no_images_give_no_lists():
    (pairs,) = top_predictions(torch.tensor([[3.0, -800.0, 800.0, 0.0]]), NAMES, count=4)
    assert sum(probability for _, probability in pairs) == 1
    assert top_predictions(torch.zeros(0, 4), NAMES) == []
