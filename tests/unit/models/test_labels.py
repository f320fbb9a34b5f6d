import pytest
from tests.unit.refusals import refuses

from innervision.data import cifar10
from innervision.models import class_names


def test_mini_has_the_classes_of_its_data():
    assert class_names("mini") == cifar10.CLASSES


@pytest.mark.parametrize("name", ["googlenet", "efficientnet-lite0"])
def test_imagenet_has_a_thousand_classes_in_their_order(name):
    names = class_names(name)
    assert len(names) == 1000
    assert (names[0], names[207], names[999]) == ("tench", "golden retriever", "toilet tissue")


def test_inceptionv1_has_an_order_of_its_own():
    with refuses(
        'name: there is no list of classes for "inceptionv1"; there is one for "mini", "googlenet" and '
        '"efficientnet-lite0"'
    ):
        class_names("inceptionv1")
