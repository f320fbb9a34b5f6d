"""Names of the classes that a network's logits stand for."""

from __future__ import annotations

from innervision.data import cifar10


def class_names(name: str) -> tuple[str, ...]:
    """Names of a network's classes, in the order of its logits; nothing is downloaded.

    Args:
        name: "mini" (CIFAR-10's ten classes), "googlenet" or "efficientnet-lite0" (ImageNet's thousand, as torchvision
            lists them).

    Raises:
        ValueError: There is no list of that network's classes. The 1,008 logits of "inceptionv1" have an order of their
            own, which was published apart from its weights.
    """
    if name == "mini":
        return cifar10.CLASSES
    if name in ("googlenet", "efficientnet-lite0"):
        from torchvision.models import GoogLeNet_Weights

        return tuple(GoogLeNet_Weights.IMAGENET1K_V1.meta["categories"])
    raise ValueError(
        f'name: there is no list of classes for "{name}"; there is one for "mini", "googlenet" and "efficientnet-lite0"'
    )
