"""Lesson 02: objectives, the step uphill, and each remedy that turns noise into a drawing."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from innervision import load, record
from innervision.classroom.exercises import exercise, question, scenario
from innervision.data.sample import load_sample

# ---------------------------------------------------------------- objectives


def some_activations(generator):
    """Two layers, four images, sizes that are not square and differ from each other."""
    return {
        "mixed3a": torch.randn(4, 6, 3, 5, generator=generator),
        "mixed3b": torch.randn(4, 5, 6, 3, generator=generator),
    }


@scenario
def channel_of_random_activations(student, generator):
    activations = some_activations(generator)
    return [student.channel("mixed3b", 2)(activations), student.channel("mixed3a", 0)(activations)]


@scenario
def gradient_of_a_channel(student, generator):
    activation = torch.randn(3, 4, 2, 5, generator=generator, requires_grad=True)
    score = student.channel("layer", 1)({"layer": activation}).sum()
    return torch.autograd.grad(score, activation)[0] if score.requires_grad else torch.zeros_like(activation.detach())


@exercise("02.channel", points=1)
def test_channel_is_the_mean_over_positions(judge):
    judge(channel_of_random_activations).expect(
        lambda generator: [
            torch.from_numpy(activation.numpy()[:, index].mean(axis=(1, 2)))
            for activations in [some_activations(generator)]
            for activation, index in [(activations["mixed3b"], 2), (activations["mixed3a"], 0)]
        ],
        atol=1e-5,  # means of at most 18 numbers of size 1
    )


@exercise("02.channel", points=1)
def test_channel_lets_gradients_through_to_all_positions_alike(judge):
    right = torch.zeros(3, 4, 2, 5)
    right[:, 1] = 1 / 10
    judge(gradient_of_a_channel).expect(right, atol=1e-6)


@scenario
def unit_at_the_centre(student, generator):
    even = {"layer": torch.randn(3, 4, 6, 8, generator=generator)}
    odd = {"layer": torch.randn(3, 4, 5, 3, generator=generator)}
    centre = student.unit("layer", 2)
    return [centre(even), centre(odd)]


@scenario
def unit_at_a_given_place(student, generator):
    activations = {"layer": torch.randn(3, 4, 5, 6, generator=generator)}
    places = [(1, 4), (0, 0), (0, 5), (4, 0)]
    return [student.unit("layer", 3, row, column)(activations) for row, column in places]


@exercise("02.unit", points=1)
def test_unit_is_the_centre_by_default(judge):
    judge(unit_at_the_centre).expect(
        lambda generator: [
            torch.randn(3, 4, 6, 8, generator=generator)[:, 2, 3, 4],
            torch.randn(3, 4, 5, 3, generator=generator)[:, 2, 2, 1],
        ],
        atol=1e-6,
    )


@exercise("02.unit", points=1)
def test_unit_is_where_it_is_asked_for(judge):
    judge(unit_at_a_given_place).expect(
        lambda generator: [
            activation[:, 3, row, column]
            for activation in [torch.randn(3, 4, 5, 6, generator=generator)]
            for row, column in [(1, 4), (0, 0), (0, 5), (4, 0)]
        ],
        atol=1e-6,
    )


# ---------------------------------------------------------------- one step uphill


def images_and_slopes(generator):
    """Three images, each with a slope of its own: directions and strengths differ."""
    images = torch.rand(3, 3, 4, 5, generator=generator)
    slopes = torch.randn(3, 3, 4, 5, generator=generator) * torch.tensor([0.01, 1.0, 30.0]).view(3, 1, 1, 1)
    return images, slopes


def one_step(generator):
    """The closed form: on a plane the steepest direction is the slope itself."""
    images, slopes = images_and_slopes(generator)
    lengths = slopes.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    return images + 0.25 * slopes / lengths


@scenario
def a_step_on_a_plane(student, generator):
    images, slopes = images_and_slopes(generator)
    return student.ascend(images, lambda images: (images * slopes).sum(dim=(1, 2, 3)), 0.25).detach()


@scenario
def a_step_where_one_image_has_no_slope(student, generator):
    images = torch.rand(3, 3, 4, 4, generator=generator)
    weight = torch.tensor([2.0, 0.0, 5.0])
    return student.ascend(images, lambda images: weight * images.square().sum(dim=(1, 2, 3)), 0.1).detach()


@scenario
def three_steps_up_a_hill(student, generator):
    start = torch.rand(2, 3, 4, 4, generator=generator)
    given, images = start.clone(), start
    for _ in range(3):
        images = student.ascend(images, lambda images: -(images - 2).square().sum(dim=(1, 2, 3)), 0.5)
    return {
        "image": images.detach(),
        "start was left alone": bool(torch.equal(start.detach(), given)),
        "result hangs on a gradient": bool(images.requires_grad),
    }


def three_steps(generator):
    """Straight towards 2, half a unit of length each time."""
    start = torch.rand(2, 3, 4, 4, generator=generator)
    way = 2 - start
    image = start + 1.5 * way / way.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
    return {"image": image, "start was left alone": True, "result hangs on a gradient": False}


@exercise("02.ascend", points=1)
def test_a_step_goes_up_and_has_the_length_asked_for(judge):
    judge(a_step_on_a_plane).expect(one_step, atol=1e-5)


@exercise("02.ascend", points=1)
def test_an_image_without_slope_stays(judge):
    judge(a_step_where_one_image_has_no_slope).close(atol=1e-5, equal_nan=True)  # so that a NaN of 0 / 0 is recognised


@exercise("02.ascend", points=1)
def test_steps_can_follow_one_another(judge):
    judge(three_steps_up_a_hill).expect(three_steps, atol=1e-5)


# ---------------------------------------------------------------- Fourier


@scenario
def images_of_random_coefficients(student, generator):
    sizes = [(8, 10), (9, 7)]
    pairs = [torch.randn(2, 3, height, width // 2 + 1, 2, generator=generator) for height, width in sizes]
    return [student.fourier_image(torch.view_as_complex(pair), size) for pair, size in zip(pairs, sizes, strict=True)]


@scenario
def one_wave_at_a_time(student, generator):
    coefficients = torch.zeros(4, 3, 12, 9, dtype=torch.complex64)
    for image, (row, column) in enumerate([(0, 1), (0, 4), (3, 2), (-3, 2)]):
        coefficients[image, :, row, column] = 1.0
    return student.fourier_image(coefficients, (12, 16))


def four_waves(generator):
    """Cosines, each as high as one divided by its frequency; 2 because a wave and its mirror image are one."""
    rows, columns = np.mgrid[:12, :16]
    waves = []
    for row, column in [(0, 1), (0, 4), (3, 2), (-3, 2)]:
        frequency = math.hypot(row / 12, column / 16)
        phase = 2 * math.pi * (row * rows / 12 + column * columns / 16)
        waves.append(np.broadcast_to(2 / math.sqrt(12 * 16) / frequency * np.cos(phase), (3, 12, 16)))
    return torch.from_numpy(np.stack(waves))


@scenario
def frequency_zero(student, generator):
    levels = torch.randn(2, 3, generator=generator)
    coefficients = torch.zeros(2, 3, 6, 6, dtype=torch.complex64)
    coefficients[:, :, 0, 0] = levels.to(torch.complex64)
    return student.fourier_image(coefficients, (6, 10))


@exercise("02.fourier_image", points=1)
def test_random_coefficients_even_and_odd_sizes(judge):
    judge(images_of_random_coefficients).close(atol=1e-4, equal_nan=True)  # so that a NaN of 1 / 0 is recognised


@exercise("02.fourier_image", points=1)
def test_a_wave_is_as_high_as_one_over_its_frequency(judge):
    judge(one_wave_at_a_time).expect(four_waves, atol=1e-4, equal_nan=True)


@exercise("02.fourier_image", points=1)
def test_frequency_zero_is_the_mean_and_does_not_explode(judge):
    # 1 / max(0, 1/10) = 10, and "ortho" divides by sqrt(6 * 10).
    judge(frequency_zero).expect(
        lambda generator: (
            (torch.randn(2, 3, generator=generator) * 10 / math.sqrt(60)).view(2, 3, 1, 1).expand(2, 3, 6, 10)
        ),
        atol=1e-5,
    )


# ---------------------------------------------------------------- colours


def coloured_images(generator):
    """Red, green and blue that rise and fall together, each image with a light of its own."""
    mixture = torch.randn(3, 3, generator=generator)
    noise = torch.randn(6, 3, 12, 10, generator=generator)
    light = torch.randn(6, 3, 1, 1, generator=generator)
    return torch.einsum("ij,bjhw->bihw", mixture, noise + light) + 3


def some_photographs(generator):
    images = load_sample().images
    return images[torch.randperm(len(images), generator=generator)[:60]].float() / 255


def numpy_covariance(images):
    return torch.from_numpy(np.cov(images.double().numpy().transpose(1, 0, 2, 3).reshape(3, -1), bias=True))


@scenario
def root_of_a_random_covariance(student, generator):
    root = student.color_correlation(coloured_images(generator))
    return {"shape of M": list(root.shape), "M times its transpose": root @ root.T}


@scenario
def root_of_the_photographs_covariance(student, generator):
    root = student.color_correlation(some_photographs(generator))
    return {"shape of M": list(root.shape), "M times its transpose": root @ root.T}


@exercise("02.color_correlation", points=2)
def test_it_is_a_root_of_the_covariance(judge):
    # The tolerance also accepts the covariance divided by n - 1 in place of n.
    judge(root_of_a_random_covariance).expect(
        lambda generator: {
            "shape of M": [3, 3],
            "M times its transpose": numpy_covariance(coloured_images(generator)),
        },
        atol=1e-3,
        rtol=5e-3,
    )


@exercise("02.color_correlation", points=1)
def test_it_is_a_root_of_the_covariance_of_photographs(judge):
    judge(root_of_the_photographs_covariance).expect(
        lambda generator: {
            "shape of M": [3, 3],
            "M times its transpose": numpy_covariance(some_photographs(generator)),
        },
        atol=1e-4,  # variances of photographs in [0, 1] are about 0.06
    )


# ---------------------------------------------------------------- transforms


def numbered_pixels(height, width):
    """Every pixel says where it is: 100 times its row plus its column; images and colours differ by 10,000 steps."""
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width)
    place = torch.arange(6).view(2, 3, 1, 1) * 10_000
    return (place + 100 * rows + columns).float()


def same_again(transform, images, generator):
    """Twelve results from each of two generators in the same state; torch's global state before and after."""
    seed = int(torch.randint(1_000_000, (), generator=generator))
    before = torch.get_rng_state()
    twins = [torch.Generator().manual_seed(seed) for _ in range(2)]
    first, second = ([transform(images, twin) for _ in range(12)] for twin in twins)
    return {"first": first, "second": second, "global state": [before, torch.get_rng_state()]}


def is_repeatable(outcome):
    if not all(torch.equal(one, other) for one, other in zip(outcome["first"], outcome["second"], strict=True)):
        return "a generator in the same state gave another result the second time"
    return True if torch.equal(*outcome["global state"]) else "torch's global randomness moved"


@scenario
def eight_crops(student, generator):
    transform = student.jitter(4)
    return [transform(numbered_pixels(9, 12), generator) for _ in range(8)]


@scenario
def corners_of_many_crops(student, generator):
    transform, images = student.jitter(3), numbered_pixels(5, 6)
    corners = torch.stack([transform(images, generator)[0, 0, 0, 0] for _ in range(800)]).long()
    return torch.stack([corners // 100, corners % 100], dim=1)


@scenario
def jitter_from_the_generator(student, generator):
    return same_again(student.jitter(5), numbered_pixels(9, 9), generator)


def are_crops(crops):
    for crop in crops:
        if tuple(crop.shape) != (2, 3, 5, 8):
            return f"9 × 12 pixels became {tuple(crop.shape[2:])}, not (5, 8)"
        row, column = divmod(int(crop[0, 0, 0, 0]), 100)
        if not (0 <= row <= 4 and 0 <= column <= 4):
            return "the first pixel is none of the image's own that can be there"
        if not torch.equal(crop, numbered_pixels(9, 12)[:, :, row : row + 5, column : column + 8]):
            return "the pixels are not neighbours in the image, or differ between images of the batch"
    return True


def cover_all_places(corners):
    """800 draws from 16 places: 50 expected each, standard deviation 7; the bounds are 5 of these away."""
    if int(corners.min()) < 0 or int(corners.max()) > 3:
        return f"a corner at {int(corners.max())}; only 0 to 3 leave a full crop"
    counts = torch.bincount(corners[:, 0] * 4 + corners[:, 1], minlength=16).view(4, 4)
    if int(counts.min()) < 15 or int(counts.max()) > 95:
        return f"of 800 draws, the 4 × 4 places got {counts.tolist()}"
    return True


@exercise("02.jitter", points=1)
def test_jitter_is_a_crop_of_the_right_size(judge):
    judge(eight_crops).satisfies(
        are_crops, expected="a piece of the image, 4 pixels smaller each way, same place for all"
    )


@exercise("02.jitter", points=1)
def test_jitter_reaches_every_place_equally_often(judge):
    expected = "corners at every pair of row 0 to 3 and column 0 to 3, about equally often"
    judge(corners_of_many_crops).satisfies(cover_all_places, expected=expected)


@exercise("02.jitter", points=1)
def test_jitter_draws_from_the_generator_only(judge):
    expected = "the same crops from generators in the same state, and torch's global randomness left alone"
    judge(jitter_from_the_generator).satisfies(is_repeatable, expected=expected)


@scenario
def one_factor(student, generator):
    images = torch.rand(2, 3, 10, 20, generator=generator)
    return [student.random_scale([factor])(images, generator) for factor in (1.5, 1.2, 1.0)]


@scenario
def sizes_of_many_scalings(student, generator):
    transform, images = student.random_scale([0.5, 1.0, 1.26, 2.0]), torch.zeros(1, 3, 10, 20)
    return {"scaled": [transform(images, generator) for _ in range(400)], **same_again(transform, images, generator)}


def four_sizes(outcome):
    """400 draws from 4 factors: 100 expected each, standard deviation 9; the bounds are 5 of these away."""
    sizes = [tuple(images.shape[2:]) for images in outcome["scaled"]]
    allowed = {(5, 10): 0, (10, 20): 0, (12, 25): 0, (20, 40): 0}
    for size in sizes:
        if size not in allowed:
            return f"10 × 20 pixels became {size[0]} × {size[1]}; the factors were 0.5, 1.0, 1.26 and 2.0"
        allowed[size] += 1
    if min(allowed.values()) < 55 or max(allowed.values()) > 145:
        return f"of 400 draws, the sizes came up {allowed}"
    return is_repeatable(outcome)


@exercise("02.random_scale", points=1)
def test_scaling_is_bilinear(judge):
    judge(one_factor).expect(
        lambda generator: [
            F.interpolate(images, size=size, mode="bilinear", align_corners=False)
            for images in [torch.rand(2, 3, 10, 20, generator=generator)]
            for size in [(15, 30), (12, 24), (10, 20)]
        ],
        atol=1e-5,
    )


@exercise("02.random_scale", points=1)
def test_every_factor_is_drawn_equally_often(judge):
    expected = "sizes 5 × 10, 10 × 20, 12 × 25 and 20 × 40, about equally often, from the generator"
    judge(sizes_of_many_scalings).satisfies(four_sizes, expected=expected)


@scenario
def quarter_turns(student, generator):
    images = torch.rand(2, 3, 8, 8, generator=generator)
    return [student.random_rotate([angle])(images, generator) for angle in (90, 180, -90, 0)]


@scenario
def turns_of_a_wide_image(student, generator):
    images = torch.cat([torch.rand(2, 3, 12, 20, generator=generator), torch.ones(1, 3, 12, 20)])
    return [student.random_rotate([angle])(images, generator) for angle in (90, 20, -7)]


def turned_with_grey_outside(outcome, reference):
    """The last image is white: where it stays white all is inside, where it is grey all is outside.

    In between, an edge pixel is part image and part grey, and how the two are mixed is left open.
    """
    for index, (got, right) in enumerate(zip(outcome, reference, strict=True)):
        if got.shape != right.shape:
            return f"at [{index}]: shape {tuple(got.shape)} in place of {tuple(right.shape)}"
        white = right[-1:].expand_as(right)
        clear = (white > 0.9999) | (white < 0.5001)
        wrong = clear & ((got.float() - right).abs() > 1e-3)
        if wrong.any():
            inside = "inside" if (wrong & (white > 0.9999)).any() else "outside"
            return f"at [{index}]: {int(wrong.sum())} values are wrong {inside} the turned image"
    return True


@scenario
def angles_of_many_turns(student, generator):
    images = torch.rand(2, 3, 6, 6, generator=generator)
    transform = student.random_rotate([0, 90, 180, 270])
    turned = [transform(images, generator) for _ in range(400)]
    return {"images": images, "turned": turned, **same_again(transform, images, generator)}


def quarter_of(image, quarters):
    """Which of the four turns this is, -1 for none of them."""
    same = [image.shape == one.shape and torch.allclose(image.float(), one, atol=1e-3) for one in quarters]
    return same.index(True) if True in same else -1


def four_quarters(outcome, reference):
    """400 draws from 4 angles: 100 expected each, standard deviation 9; the bounds are 5 of these away."""
    right = [reference["images"].rot90(turns, dims=(2, 3)) for turns in range(4)]
    quarters = torch.tensor([quarter_of(image, right) for image in outcome["turned"]])
    if int(quarters.min()) < 0:
        return "the angles were 0, 90, 180 and 270, and a result is none of these turns of the whole batch"
    counts = torch.bincount(quarters, minlength=4)
    if int(counts.min()) < 55 or int(counts.max()) > 145:
        return f"of 400 draws, the four angles came up {counts.tolist()} times"
    return is_repeatable(outcome)


@exercise("02.random_rotate", points=1)
def test_quarter_turns_are_exact(judge):
    judge(quarter_turns).expect(
        lambda generator: [
            images.rot90(turns, dims=(2, 3))
            for images in [torch.rand(2, 3, 8, 8, generator=generator)]
            for turns in (1, 2, 3, 0)
        ],
        atol=1e-4,
    )


@exercise("02.random_rotate", points=1)
def test_a_wide_image_is_turned_not_sheared_and_grey_comes_in(judge):
    expected = "a wide image turned by 90, 20 and -7 degrees around its centre, with grey, 0.5, outside"
    judge(turns_of_a_wide_image).satisfies(turned_with_grey_outside, expected=expected)


@exercise("02.random_rotate", points=1)
def test_every_angle_is_drawn_equally_often(judge):
    expected = "turns by 0, 90, 180 and 270 degrees, about equally often, one for the whole batch, from the generator"
    judge(angles_of_many_turns).satisfies(four_quarters, expected=expected)


@scenario
def double_then_add_one(student, generator):
    images = torch.rand(2, 3, 4, 4, generator=generator)
    steps = [lambda images, generator: images * 2, lambda images, generator: images + 1]
    both = student.compose(steps)
    return [both(images, generator), both(images, generator), student.compose([])(images, generator)]


@scenario
def three_that_draw(student, generator):
    def add_a_draw(images, generator):
        return images * 10 + torch.rand((), generator=generator)

    return student.compose([add_a_draw, add_a_draw, add_a_draw])(torch.zeros(1, 3, 2, 2), generator)


def three_draws(generator):
    first, second, third = torch.rand(3, generator=generator).tolist()
    return torch.full((1, 3, 2, 2), 100 * first + 10 * second + third)


@exercise("02.compose", points=1)
def test_from_first_to_last_as_often_as_called(judge):
    judge(double_then_add_one).expect(
        lambda generator: [
            images
            for start in [torch.rand(2, 3, 4, 4, generator=generator)]
            for images in (2 * start + 1, 2 * start + 1, start)
        ],
        atol=1e-6,
    )


@exercise("02.compose", points=1)
def test_all_draw_from_the_one_generator(judge):
    judge(three_that_draw).close(atol=1e-4)


# ---------------------------------------------------------------- rectifiers


@scenario
def a_rectifier_that_lets_something_pass(student, generator):
    values = torch.randn(3, 4, 3, 3, generator=generator)
    values[:, 0, 0, 0] = 1.0
    return student.redirected_relu(values, torch.randn(3, 4, 3, 3, generator=generator))


@scenario
def a_rectifier_that_blocks_everything(student, generator):
    values = -0.1 - torch.rand(3, 4, 3, 3, generator=generator)
    return student.redirected_relu(values, torch.randn(3, 4, 3, 3, generator=generator))


@scenario
def one_image_blocked_one_not_one_in_between(student, generator):
    values, gradient = values_and_gradients(generator)
    return student.redirected_relu(values, gradient)


def values_and_gradients(generator):
    """Image 0 passes something; 1 is negative everywhere; 2 is positive only where nothing arrives."""
    values = torch.randn(3, 2, 3, 4, generator=generator)
    gradient = torch.randn(3, 2, 3, 4, generator=generator)
    values[0, 0, 0, 0], gradient[0, 0, 0, 0] = 1.5, 0.7
    values[0, 0, 0, 1], gradient[0, 0, 0, 1] = -1.5, 0.7
    values[1] = -values[1].abs() - 0.1
    values[2, 0, 0, :2], gradient[2, 0, 0, 2] = torch.tensor([1.0, -1.0]), 0.7
    gradient[2] = torch.where(values[2] > 0, 0.0, gradient[2])
    return values, gradient


def image_by_image(generator):
    values, gradient = (array.numpy() for array in values_and_gradients(generator))
    return torch.from_numpy(
        np.stack([gradient[0] * (values[0] > 0), np.maximum(gradient[1], 0), np.maximum(gradient[2], 0)])
    )


@exercise("02.redirected_relu", points=1)
def test_the_rectifiers_own_rule_where_something_passes(judge):
    judge(a_rectifier_that_lets_something_pass).close(atol=1e-6)


@exercise("02.redirected_relu", points=1)
def test_only_what_raises_the_value_where_all_is_blocked(judge):
    judge(a_rectifier_that_blocks_everything).close(atol=1e-6)


@exercise("02.redirected_relu", points=1)
def test_images_are_judged_one_by_one_by_what_passes(judge):
    judge(one_image_blocked_one_not_one_in_between).expect(image_by_image, atol=1e-6)


# ---------------------------------------------------------------- penalty


def ramps(generator):
    """Three plane images, each rising by its own slopes along rows and columns (some fall)."""
    slopes = torch.randn(3, 2, generator=generator)
    down, right = slopes[:, 0].view(3, 1, 1, 1), slopes[:, 1].view(3, 1, 1, 1)
    planes = down * torch.arange(5.0).view(-1, 1) + right * torch.arange(8.0)
    return planes.expand(3, 3, 5, 8).contiguous(), slopes


@scenario
def restlessness_of_ramps(student, generator):
    return student.total_variation(ramps(generator)[0])


@scenario
def restlessness_of_random_images(student, generator):
    images = torch.rand(4, 3, 6, 9, generator=generator) * torch.tensor([0.1, 1.0, 5.0, 0.0]).view(4, 1, 1, 1)
    return student.total_variation(images)


@exercise("02.total_variation", points=1)
def test_a_ramp_is_as_restless_as_its_slopes(judge):
    judge(restlessness_of_ramps).expect(lambda generator: ramps(generator)[1].abs().sum(dim=1), atol=1e-5)


@exercise("02.total_variation", points=1)
def test_random_images_one_number_each(judge):
    judge(restlessness_of_random_images).close(atol=1e-5)


# ---------------------------------------------------------------- the loop


def unchanged(images, generator):
    return images


@scenario
def hills_of_different_steepness(student, generator):
    target = torch.rand(3, 3, 2, 2, generator=generator)
    steepness = torch.tensor([0.01, 1.0, 100.0])
    x = torch.zeros(3, 3, 2, 2, requires_grad=True)
    history = student.maximize(
        [x],
        lambda: torch.sigmoid(4 * x),
        unchanged,
        lambda images: -steepness * (images - target).square().sum(dim=(1, 2, 3)),
        steps=120,
        learning_rate=0.05,
        generator=generator,
    )
    return {
        "image": torch.sigmoid(4 * x).detach(),
        "history": history.detach(),
        "history hangs on a gradient": bool(history.requires_grad),
    }


def at_the_top(outcome, reference):
    if tuple(outcome["history"].shape) != (120, 3):
        return f"history has shape {tuple(outcome['history'].shape)}; 120 steps of 3 images give (120, 3)"
    if not torch.allclose(outcome["history"][0].float(), reference["history"][0], rtol=1e-4):
        return "the first line of the history is not the score of the first images, one number each"
    if not bool((outcome["history"][-1] > outcome["history"][0]).all()):
        return "the scores of the last step are not above those of the first"
    if not torch.allclose(outcome["image"].float(), reference["image"], atol=0.05):
        return "the images did not all arrive where the score is largest"
    return "the history still hangs on the gradient" if outcome["history hangs on a gradient"] else True


@scenario
def two_parameters_and_a_transform(student, generator):
    seen = {"calls": 0, "own generator": True}

    def shifted(images, given):
        seen["calls"] += 1
        seen["own generator"] = seen["own generator"] and given is generator
        return images + torch.rand((), generator=generator)

    a, b = (torch.zeros(2, 3, 2, 2, requires_grad=True) for _ in range(2))
    history = student.maximize(
        [a, b],
        lambda: a + 2 * b,
        shifted,
        lambda images: -(images - 1).square().mean(dim=(1, 2, 3)),
        steps=9,
        learning_rate=0.1,
        generator=generator,
    )
    return {"history": history.detach(), "first": a.detach(), "second": b.detach(), **seen}


@scenario
def seven_steps_up_a_plane(student, generator):
    slope = torch.rand(2, 3, 2, 2, generator=generator) + 0.5
    x = torch.zeros(2, 3, 2, 2, requires_grad=True)
    history = student.maximize(
        [x],
        lambda: x * 1.0,
        unchanged,
        lambda images: (images * slope).sum(dim=(1, 2, 3)),
        steps=7,
        learning_rate=0.1,
        generator=generator,
    )
    return {"history": history.detach(), "x": x.detach()}


def up_a_plane(generator):
    """On a plane Adam's step is its learning rate, whatever the slope: 0, 0.1, 0.2 … times the slope's sum."""
    slope = torch.rand(2, 3, 2, 2, generator=generator) + 0.5
    way = 0.1 * torch.arange(7.0).view(7, 1)
    return {"history": way * slope.sum(dim=(1, 2, 3)), "x": torch.full((2, 3, 2, 2), 0.7)}


@exercise("02.render", points=1)
def test_every_image_climbs_to_its_top(judge):
    expected = "a history (120, 3) that rises and is detached, and images at the top of their hills"
    judge(hills_of_different_steepness).satisfies(at_the_top, expected=expected)


@exercise("02.render", points=1)
def test_steps_are_counted_and_noted_before_the_change(judge):
    judge(seven_steps_up_a_plane).expect(up_a_plane, atol=1e-3)


@exercise("02.render", points=1)
def test_all_parameters_change_and_every_step_transforms_anew(judge):
    judge(two_parameters_and_a_transform).close(atol=1e-3)


# ---------------------------------------------------------------- questions


def blocked_centres(layer="mixed4a"):
    """How many channels of a layer are at or below zero in the centre of a plain grey image: the rectifier gives 0."""
    with torch.no_grad():
        activation = record(load("mini"), torch.full((1, 3, 48, 48), 0.5), layer)[layer]
    return int((activation[0, :, activation.shape[2] // 2, activation.shape[3] // 2] == 0).sum())


test_q_noise = question(
    "02.q_noise",
    points=1,
    answer="c",
    wrong={
        "a": "One row started from plain grey, without any noise, and ended as grainy as the others. The climb makes "
        "the grain.",
        "b": "From 8 steps to 64 the activation more than doubles, and the grain stays at several times that of "
        "photographs. Waiting is no cure.",
        "d": "The same grains, shuffled, do next to nothing for the unit. The pattern is exactly what the network "
        "answers to: the climb found it, chance would not.",
    },
)

test_q_blocked = question(
    "02.q_blocked",
    points=1,
    answer=blocked_centres,
    atol=1,  # one activation may fall on either side of 0 on another machine
    wrong=[
        (lambda: 256 - blocked_centres(), "That is how many let a gradient through. Asked are the others."),
        (lambda: round(100 * blocked_centres() / 256), "That looks like per cent. Asked is how many of the 256."),
    ],
)

test_q_two_by_two = question(
    "02.q_two_by_two",
    points=1,
    answer="d",
    wrong={
        "a": "Compare the two rows without transforms. Waves made the picture smooth, and it keeps no more in unseen "
        "poses than pixels do: smooth to the eye is not robust.",
        "b": "Look at 'waves' without transforms: it has less grain than 'pixels + transforms'. Transforms took some "
        "grain away, and the smoothness of the waves is not their doing.",
        "c": "Each did something alone. Look at 'pixels + transforms' under 'kept', and at 'waves' under 'fine grain', "
        "each against 'pixels'.",
    },
)

test_q_penalty = question(
    "02.q_penalty",
    points=1,
    answer="b",
    wrong={
        "a": "With a small weight they look alike. Then turn the weight up: activation falls and the drawing fades to "
        "grey. Waves have no such knob, since they add nothing to the score.",
        "c": "A penalty is part of the score, so another image becomes the best one. With a large enough weight it is "
        "plain grey.",
        "d": "Coordinates add nothing to the score. Every image can be written in pixels and in waves, and gets the "
        "same activation in both.",
    },
)
