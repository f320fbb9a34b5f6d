import innervision.data


def test_public_names():
    assert innervision.data.__all__ == [
        "DataError",
        "Sample",
        "cache_folder",
        "cifar10",
        "load_sample",
        "load_training_sample",
    ]
    assert all(hasattr(innervision.data, name) for name in innervision.data.__all__)
