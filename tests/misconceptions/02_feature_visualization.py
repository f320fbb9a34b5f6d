"""Wrong answers to lesson 02 that students give, each with the sentence that helps."""

import math
import random

import torch
import torch.nn.functional as F

from innervision.classroom.exercises import misconception

# ---------------------------------------------------------------- channel


@misconception(
    "02.channel",
    "This adds the positions up. A sum grows with the image; the mean stays comparable between sizes, and "
    "transforms do change the size.",
)
def sums_positions(layer, channel):
    return lambda activations: activations[layer][:, channel].sum(dim=(1, 2))


@misconception(
    "02.channel",
    "This is one mean over the whole batch. Each image needs a number of its own, since each is optimised for "
    "itself: keep axis 0.",
)
def averages_the_batch_too(layer, channel):
    return lambda activations: activations[layer][:, channel].mean()


@misconception(
    "02.channel",
    "This picks an image, not a channel: axis 0 counts the images of the batch, channels are on axis 1.",
)
def picks_an_image(layer, channel):
    return lambda activations: activations[layer][channel].mean(dim=(1, 2))


@misconception(
    "02.channel",
    "The sign is turned. Objectives are maximised in this course, so a loss with a minus sign would draw what "
    "the channel likes least.",
)
def turns_it_into_a_loss(layer, channel):
    return lambda activations: -activations[layer][:, channel].mean(dim=(1, 2))


@misconception(
    "02.channel",
    "This is the largest position, not the mean. One position gets all the gradient, and the rest of the image "
    "is left alone.",
)
def takes_the_largest_position(layer, channel):
    return lambda activations: activations[layer][:, channel].amax(dim=(1, 2))


@misconception(
    "02.channel",
    "The number was taken out of the graph (`item`, `detach`, `tolist`), so no gradient finds the way back to "
    "the image. Stay with tensors.",
)
def leaves_the_graph(layer, channel):
    return lambda activations: activations[layer][:, channel].mean(dim=(1, 2)).detach()


# ---------------------------------------------------------------- unit


@misconception("02.unit", "Rows and columns are swapped: axis 2 is the row (height), axis 3 the column (width).")
def swaps_row_and_column(layer, channel, row=None, column=None):
    def at_position(activations):
        height, width = activations[layer].shape[2:]
        at_row = height // 2 if row is None else row
        at_column = width // 2 if column is None else column
        return activations[layer].transpose(2, 3)[:, channel, at_row % width, at_column % height]

    return at_position


@misconception(
    "02.unit",
    "Row 0 was taken for 'no row given': `row or centre` is the centre for 0 too. Ask `row is None`.",
)
def takes_zero_for_nothing(layer, channel, row=None, column=None):
    def at_position(activations):
        height, width = activations[layer].shape[2:]
        return activations[layer][:, channel, row or height // 2, column or width // 2]

    return at_position


@misconception(
    "02.unit",
    "The centre is size // 2 here, not (size - 1) // 2. For an even size there are two middle positions, and we "
    "take the second.",
)
def takes_the_first_middle(layer, channel, row=None, column=None):
    def at_position(activations):
        height, width = activations[layer].shape[2:]
        at_row = (height - 1) // 2 if row is None else row
        at_column = (width - 1) // 2 if column is None else column
        return activations[layer][:, channel, at_row, at_column]

    return at_position


@misconception(
    "02.unit",
    "The height was used for the centre of both axes. Activations need not be square: take the width for the column.",
)
def takes_the_height_twice(layer, channel, row=None, column=None):
    def at_position(activations):
        height, width = activations[layer].shape[2:]
        at_row = height // 2 if row is None else row
        at_column = min(height // 2, width - 1) if column is None else column
        return activations[layer][:, channel, at_row, at_column]

    return at_position


@misconception(
    "02.unit",
    "This averages over positions: that is the channel. A unit is the channel at one position only.",
)
def is_the_channel(layer, channel, row=None, column=None):
    return lambda activations: activations[layer][:, channel].mean(dim=(1, 2))


# ---------------------------------------------------------------- ascend


def _gradient(images, score):
    images = images.detach().requires_grad_(True)
    return torch.autograd.grad(score(images).sum(), images)[0]


def _length(gradient):
    return gradient.square().sum(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)


@misconception(
    "02.ascend",
    "This goes downhill. Training subtracts the gradient to make a loss small; here the score shall grow, so add it.",
)
def goes_downhill(images, score, step_size):
    gradient = _gradient(images, score)
    return (images - step_size * gradient / _length(gradient)).detach()


@misconception(
    "02.ascend",
    "The gradient was not divided by its length, so the step is long where the slope is steep. The length shall "
    "be step_size for every image.",
)
def takes_the_gradient_as_it_is(images, score, step_size):
    return (images + step_size * _gradient(images, score)).detach()


@misconception(
    "02.ascend",
    "One length was taken for the whole batch: an image with a gentle slope hardly moves beside a steep one. "
    "Each image has its own length.",
)
def takes_one_length_for_the_batch(images, score, step_size):
    gradient = _gradient(images, score)
    return (images + step_size * gradient / gradient.norm().clamp(min=1e-12)).detach()


@misconception(
    "02.ascend",
    "This takes the sign of the gradient: every pixel moves by the same amount. The direction in which the score "
    "grows fastest is the gradient itself.",
)
def takes_the_sign(images, score, step_size):
    return (images + step_size * _gradient(images, score).sign()).detach()


@misconception(
    "02.ascend",
    "0 / 0: where the gradient is 0 its length is 0 too, and the image becomes NaN. Such an image shall stay "
    "where it is.",
)
def divides_zero_by_zero(images, score, step_size):
    gradient = _gradient(images, score)
    return (images + step_size * gradient / gradient.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()).detach()


@misconception(
    "02.ascend",
    "The image that was given has been changed in place. Whoever called the function still needs it: return a new one.",
)
def changes_the_image_that_was_given(images, score, step_size):
    gradient = _gradient(images, score)
    images.data += step_size * gradient / _length(gradient)
    return images.detach()


@misconception(
    "02.ascend",
    "The result still hangs on the gradient: the next step would climb through all the steps before it, and "
    "memory fills up. Detach it.",
)
def keeps_the_graph(images, score, step_size):
    images = images if images.requires_grad else images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(images).sum(), images)
    return images + step_size * gradient / _length(gradient)


# ---------------------------------------------------------------- fourier_image


def _frequencies(size, *, rows=None):
    height, width = size
    rows = torch.fft.fftfreq(height) if rows is None else rows
    return torch.sqrt(rows[:, None] ** 2 + torch.fft.rfftfreq(width)[None] ** 2)


def _waves(coefficients, scale, size, norm="ortho"):
    return torch.fft.irfft2(coefficients * scale, s=size, norm=norm)


@misconception(
    "02.fourier_image",
    "This multiplies by the frequency, which makes fine patterns stronger still. In photographs the coarse ones "
    "are strong: divide.",
)
def multiplies_by_the_frequency(coefficients, size):
    return _waves(coefficients, _frequencies(size).clamp(min=1 / max(size)), size)


@misconception(
    "02.fourier_image",
    "The frequencies are missing: without the scale these are the same pixels, written differently, and coarse "
    "patterns stay as hard to reach as before.",
)
def does_not_scale(coefficients, size):
    return _waves(coefficients, 1.0, size)


@misconception(
    "02.fourier_image",
    "1 / 0: the mean of the image has frequency 0. The floor 1 / longest side keeps it finite.",
)
def divides_by_frequency_zero(coefficients, size):
    return _waves(coefficients, 1 / _frequencies(size), size)


@misconception(
    "02.fourier_image",
    "1 / frequency² is the law for the power of photographs. Here amplitudes are scaled, and they fall as 1 / "
    "frequency.",
)
def scales_amplitudes_like_power(coefficients, size):
    return _waves(coefficients, 1 / _frequencies(size).clamp(min=1 / max(size)) ** 2, size)


@misconception(
    "02.fourier_image",
    "The frequencies of the rows are in the wrong order. `fftfreq` begins with 0 and has the negative ones "
    "second; only pictures of a spectrum are shifted so that 0 is in the middle.",
)
def shifts_the_frequencies(coefficients, size):
    rows = torch.fft.fftshift(torch.fft.fftfreq(size[0]))
    return _waves(coefficients, 1 / _frequencies(size, rows=rows).clamp(min=1 / max(size)), size)


@misconception(
    "02.fourier_image",
    "Rows above the middle were given frequencies up to 1. They are negative ones: the last row is as coarse as "
    "the second. `fftfreq` knows.",
)
def forgets_negative_frequencies(coefficients, size):
    rows = torch.arange(size[0]) / size[0]
    return _waves(coefficients, 1 / _frequencies(size, rows=rows).clamp(min=1 / max(size)), size)


@misconception(
    "02.fourier_image",
    "The mean of the image (frequency 0) was set to 0 or left unscaled. The floor 1 / longest side gives it a "
    "scale as the others have.",
)
def drops_the_mean(coefficients, size):
    frequency = _frequencies(size)
    return _waves(coefficients, torch.where(frequency > 0, 1 / frequency.clamp(min=1e-9), 0), size)


@misconception(
    "02.fourier_image",
    "The factor of the inverse transform is another one: `norm='ortho'` divides by √(height · width), the "
    "default by height · width.",
)
def forgets_the_norm(coefficients, size):
    return _waves(coefficients, 1 / _frequencies(size).clamp(min=1 / max(size)), size, norm="backward")


# ---------------------------------------------------------------- color_correlation


def _pixels(images):
    return images.movedim(1, 0).flatten(1)


def _root(covariance):
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt()


@misconception(
    "02.color_correlation",
    "The mean was not subtracted first, so this also measures how bright the images are. Covariance is about "
    "departures from the mean.",
)
def forgets_the_mean(images):
    pixels = _pixels(images)
    return _root(pixels @ pixels.T / pixels.shape[1])


@misconception(
    "02.color_correlation",
    "M times its transpose is the covariance squared: M is the covariance itself, or its eigenvectors times the "
    "variances. Take the root of the variances.",
)
def returns_the_covariance(images):
    return torch.cov(_pixels(images), correction=0)


@misconception(
    "02.color_correlation",
    "This is the root of the correlation, in which every colour has variance 1. The covariance keeps how strong "
    "each colour is.",
)
def takes_the_correlation(images):
    return _root(torch.corrcoef(_pixels(images)))


@misconception(
    "02.color_correlation",
    "The root was taken number by number. A matrix root needs the eigenvectors (or svd, or Cholesky): √ of the "
    "variances along them.",
)
def takes_the_root_of_each_number(images):
    return torch.cov(_pixels(images), correction=0).abs().sqrt()


@misconception(
    "02.color_correlation",
    "The rows of U were scaled, not its columns. Each column of U is a direction and gets its own √S: U * "
    "S.sqrt(), not U * S.sqrt()[:, None].",
)
def scales_rows(images):
    values, vectors = torch.linalg.eigh(torch.cov(_pixels(images), correction=0))
    return vectors * values.clamp(min=0).sqrt()[:, None]


@misconception(
    "02.color_correlation",
    "`reshape(3, -1)` took the batch for the colours. Move the colour axis to the front first: images.movedim(1, 0).",
)
def mixes_batch_and_colours(images):
    return _root(torch.cov(images.reshape(3, -1), correction=0))


@misconception(
    "02.color_correlation",
    "Each image's own mean was subtracted, so that the differences between images (a blue one, a green one) are "
    "lost. One mean for all pixels.",
)
def centres_each_image(images):
    return _root(torch.cov(_pixels(images - images.mean(dim=(2, 3), keepdim=True)), correction=0))


# ---------------------------------------------------------------- jitter


@misconception(
    "02.jitter",
    "This shifts the image and fills the gap with black. The network would see a black bar that jumps about. Cut "
    "out a smaller piece; nothing has to be filled.",
)
def fills_with_black(pixels):
    def jittered(images, generator):
        row, column = torch.randint(pixels + 1, (2,), generator=generator).tolist()
        shifted = torch.zeros_like(images)
        height, width = images.shape[2:]
        shifted[:, :, : height - row, : width - column] = images[:, :, row:, column:]
        return shifted

    return jittered


@misconception(
    "02.jitter",
    "`roll` brings the left edge back in on the right, a seam that is in no image. Cut out a smaller piece.",
)
def rolls(pixels):
    def jittered(images, generator):
        row, column = torch.randint(pixels + 1, (2,), generator=generator).tolist()
        return images.roll((-row, -column), dims=(2, 3))

    return jittered


@misconception(
    "02.jitter",
    "Row and column got the same offset, so the image only ever moves along one diagonal. Draw two numbers.",
)
def moves_along_the_diagonal(pixels):
    def jittered(images, generator):
        offset = int(torch.randint(pixels + 1, (), generator=generator))
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        return images[:, :, offset : offset + height, offset : offset + width]

    return jittered


@misconception(
    "02.jitter",
    "The last offset never comes: `randint(n)` draws from 0 to n - 1. There are pixels + 1 places.",
)
def leaves_out_the_last_place(pixels):
    def jittered(images, generator):
        row, column = torch.randint(max(pixels, 1), (2,), generator=generator).tolist()
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        return images[:, :, row : row + height, column : column + width]

    return jittered


@misconception("02.jitter", "This always cuts out the middle. The place must be drawn anew in every call.")
def cuts_out_the_middle(pixels):
    def jittered(images, generator):
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        return images[:, :, pixels // 2 : pixels // 2 + height, pixels // 2 : pixels // 2 + width]

    return jittered


@misconception(
    "02.jitter",
    "The piece is smaller by twice `pixels`. Here the whole range of shifts is `pixels`, not that much to each side.",
)
def cuts_twice_as_much(pixels):
    def jittered(images, generator):
        row, column = torch.randint(2 * pixels + 1, (2,), generator=generator).tolist()
        height, width = images.shape[2] - 2 * pixels, images.shape[3] - 2 * pixels
        return images[:, :, row : row + height, column : column + width]

    return jittered


@misconception(
    "02.jitter",
    "Each image of the batch got a place of its own. One draw per call, for the whole batch, is what the "
    "docstring promises.",
)
def moves_each_image_by_itself(pixels):
    def jittered(images, generator):
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        corners = torch.randint(pixels + 1, (len(images), 2), generator=generator).tolist()
        return torch.stack(
            [image[:, r : r + height, c : c + width] for image, (r, c) in zip(images, corners, strict=True)]
        )

    return jittered


@misconception(
    "02.jitter",
    "The draw did not come from `generator`, so the same seed gives another drawing tomorrow. Pass "
    "generator=generator to torch.randint.",
)
def draws_from_global_randomness(pixels):
    def jittered(images, generator):
        row, column = torch.randint(pixels + 1, (2,)).tolist()
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        return images[:, :, row : row + height, column : column + width]

    return jittered


@misconception(
    "02.jitter",
    "Python's `random` was used. It knows nothing of `generator`: nobody can repeat your drawing. Use "
    "torch.randint(…, generator=generator).",
)
def draws_with_python_random(pixels):
    def jittered(images, generator):
        row, column = random.randint(0, pixels), random.randint(0, pixels)
        height, width = images.shape[2] - pixels, images.shape[3] - pixels
        return images[:, :, row : row + height, column : column + width]

    return jittered


# ---------------------------------------------------------------- random_scale


def _resize(images, height, width, mode="bilinear", **options):
    return F.interpolate(images, size=(height, width), mode=mode, **options)


@misconception(
    "02.random_scale",
    "This draws any number between the smallest and the largest factor. Only the factors of the list are meant.",
)
def draws_between_the_factors(factors):
    def scaled(images, generator):
        low, high = min(factors), max(factors)
        factor = low + (high - low) * float(torch.rand((), generator=generator))
        return _resize(images, int(images.shape[2] * factor), int(images.shape[3] * factor))

    return scaled


@misconception(
    "02.random_scale",
    "Height and width got a factor each, which stretches the image. Draw one factor for both.",
)
def stretches(factors):
    def scaled(images, generator):
        tall, wide = (factors[i] for i in torch.randint(len(factors), (2,), generator=generator).tolist())
        return _resize(images, int(images.shape[2] * tall), int(images.shape[3] * wide))

    return scaled


@misconception(
    "02.random_scale",
    "The last factor never comes: `randint(n)` already stops at n - 1, so give it len(factors).",
)
def leaves_out_the_last_factor(factors):
    def scaled(images, generator):
        factor = factors[int(torch.randint(max(len(factors) - 1, 1), (), generator=generator))]
        return _resize(images, int(images.shape[2] * factor), int(images.shape[3] * factor))

    return scaled


@misconception(
    "02.random_scale",
    "The mode is 'nearest', interpolate's default: it copies pixels into blocks. Ask for mode='bilinear'.",
)
def copies_pixels(factors):
    def scaled(images, generator):
        factor = factors[int(torch.randint(len(factors), (), generator=generator))]
        return _resize(images, int(images.shape[2] * factor), int(images.shape[3] * factor), mode="nearest")

    return scaled


@misconception(
    "02.random_scale",
    "The corners of the image were pinned (align_corners=True), which shifts everything by part of a pixel. Use "
    "align_corners=False.",
)
def pins_the_corners(factors):
    def scaled(images, generator):
        factor = factors[int(torch.randint(len(factors), (), generator=generator))]
        size = int(images.shape[2] * factor), int(images.shape[3] * factor)
        return _resize(images, *size, align_corners=True)

    return scaled


@misconception(
    "02.random_scale",
    "The enlarged image was cut back to its old size. Other sizes are welcome here: the network takes any.",
)
def keeps_the_size(factors):
    def scaled(images, generator):
        factor = factors[int(torch.randint(len(factors), (), generator=generator))]
        larger = _resize(images, int(images.shape[2] * factor), int(images.shape[3] * factor))
        return larger[:, :, : images.shape[2], : images.shape[3]]

    return scaled


# ---------------------------------------------------------------- random_rotate


def _turn(images, radians, *, aspect=True, fill=0.5, padding="zeros"):
    height, width = images.shape[2:]
    ratio = height / width if aspect else 1.0
    cos, sin = math.cos(radians), math.sin(radians)
    matrix = torch.tensor([[cos, -sin * ratio, 0.0], [sin / ratio, cos, 0.0]]).to(images).expand(len(images), 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images - fill, grid, padding_mode=padding, align_corners=False) + fill


def _draw(choices, generator):
    return choices[int(torch.randint(len(choices), (), generator=generator))]


@misconception(
    "02.random_rotate",
    "It turns clockwise. The matrix of affine_grid says where each pixel comes FROM, and rows count downwards: "
    "the minus sign belongs to the sine of the first row.",
)
def turns_clockwise(degrees):
    return lambda images, generator: _turn(images, -math.radians(_draw(degrees, generator)))


@misconception(
    "02.random_rotate",
    "Degrees were given to sin and cos, which take radians: math.radians(angle) first. An angle of 90 became "
    "more than fourteen full turns.",
)
def takes_degrees_for_radians(degrees):
    return lambda images, generator: _turn(images, float(_draw(degrees, generator)))


@misconception(
    "02.random_rotate",
    "A wide image came out sheared: both axes count from -1 to 1, whatever their length. Multiply one sine by "
    "height / width and the other by width / height.",
)
def shears_wide_images(degrees):
    return lambda images, generator: _turn(images, math.radians(_draw(degrees, generator)), aspect=False)


@misconception(
    "02.random_rotate",
    "Black corners came in. grid_sample fills with 0; subtract 0.5 before it and add 0.5 after it, and the 0 "
    "becomes grey.",
)
def lets_black_in(degrees):
    return lambda images, generator: _turn(images, math.radians(_draw(degrees, generator)), fill=0.0)


@misconception(
    "02.random_rotate",
    "The edge pixels were pulled out into the corners (padding_mode='border'). What lies outside the image is "
    "grey, 0.5.",
)
def pulls_the_edges_out(degrees):
    return lambda images, generator: _turn(images, math.radians(_draw(degrees, generator)), padding="border")


@misconception(
    "02.random_rotate",
    "This draws any angle between the smallest and the largest. Only the angles of the list are meant.",
)
def draws_between_the_angles(degrees):
    def rotated(images, generator):
        low, high = min(degrees), max(degrees)
        return _turn(images, math.radians(low + (high - low) * float(torch.rand((), generator=generator))))

    return rotated


@misconception(
    "02.random_rotate",
    "Each image of the batch got an angle of its own. One draw per call, for the whole batch, is what the "
    "docstring promises.",
)
def turns_each_image_by_itself(degrees):
    def rotated(images, generator):
        return torch.cat([_turn(image[None], math.radians(_draw(degrees, generator))) for image in images])

    return rotated


# ---------------------------------------------------------------- compose


@misconception(
    "02.compose",
    "The last one was applied first. In mathematics f ∘ g begins with g; a list of steps is read from the front.",
)
def begins_with_the_last(transforms):
    def composed(images, generator):
        for transform in reversed(list(transforms)):
            images = transform(images, generator)
        return images

    return composed


@misconception(
    "02.compose",
    "Every transform got the original images, and only the last result was kept. Feed each one what the one "
    "before it returned.",
)
def starts_over_each_time(transforms):
    def composed(images, generator):
        result = images
        for transform in transforms:
            result = transform(images, generator)
        return result

    return composed


@misconception(
    "02.compose",
    "Each transform got a copy of the generator, so all draw the same numbers: shift, size and turn go together. "
    "Hand on the generator itself.",
)
def copies_the_generator(transforms):
    def composed(images, generator):
        state = generator.get_state()
        for transform in transforms:
            own = torch.Generator()
            own.set_state(state)
            images = transform(images, own)
        return images

    return composed


@misconception(
    "02.compose",
    "The transforms were used up by the first call (an iterator such as `iter` or `map` runs once). Render calls "
    "this hundreds of times.",
)
def works_once(transforms):
    steps = iter(transforms)

    def composed(images, generator):
        for transform in steps:
            images = transform(images, generator)
        return images

    return composed


@misconception(
    "02.compose",
    "A `return` inside the loop ends it after the first transform. It belongs after the loop.",
)
def stops_after_the_first(transforms):
    def composed(images, generator):
        for transform in transforms:
            return transform(images, generator)
        return images

    return composed


# ---------------------------------------------------------------- redirected_relu


def _per_image(flags, values):
    return flags.view(-1, *[1] * (values.ndim - 1))


def _passed(values, gradient):
    return torch.where(values > 0, gradient, torch.zeros_like(gradient))


def _is_blocked(values, gradient):
    return _per_image((_passed(values, gradient).flatten(1) == 0).all(dim=1), values)


@misconception(
    "02.redirected_relu",
    "The gradient is redirected always. Where the rectifier passes anything at all, its own gradient is right "
    "and shall stay as it is.",
)
def redirects_always(values, gradient):
    return torch.where((values <= 0) & (gradient < 0), torch.zeros_like(gradient), gradient)


@misconception(
    "02.redirected_relu",
    "A blocked image got the whole gradient back, whatever its sign. Pushing a value further below 0 helps "
    "nobody: keep only what raises it.",
)
def redirects_whatever_the_sign(values, gradient):
    return torch.where(_is_blocked(values, gradient), gradient, _passed(values, gradient))


@misconception(
    "02.redirected_relu",
    "The sign is turned: this keeps what would lower the value. It is lucid's formula, where the loss is "
    "minimised; we maximise, so keep gradient > 0.",
)
def keeps_what_lowers(values, gradient):
    return torch.where(_is_blocked(values, gradient), gradient.clamp(max=0), _passed(values, gradient))


@misconception(
    "02.redirected_relu",
    "The batch was judged as a whole: one image that passes something leaves all the others blocked. Ask image "
    "by image.",
)
def judges_the_batch_as_one(values, gradient):
    passed = _passed(values, gradient)
    return gradient.clamp(min=0) if bool((passed == 0).all()) else passed


@misconception(
    "02.redirected_relu",
    "This is the rectifier's own gradient and nothing else: a blocked image stays blocked, and its drawing stays grey.",
)
def never_redirects(values, gradient):
    return _passed(values, gradient)


@misconception(
    "02.redirected_relu",
    "Blocked was taken to mean 'every value is below 0'. What counts is the gradient that passes: a positive "
    "value through which nothing comes is no help either.",
)
def looks_at_the_values_only(values, gradient):
    blocked = _per_image((values.flatten(1) <= 0).all(dim=1), values)
    return torch.where(blocked, gradient.clamp(min=0), _passed(values, gradient))


@misconception(
    "02.redirected_relu",
    "This is a leaky rectifier: a tenth of the gradient gets through everywhere, also where the rectifier works "
    "well. Redirect blocked images only.",
)
def leaks(values, gradient):
    return torch.where(values > 0, gradient, 0.1 * gradient)


# ---------------------------------------------------------------- total_variation


def _differences(images):
    return images[..., 1:, :] - images[..., :-1, :], images[..., :, 1:] - images[..., :, :-1]


@misconception(
    "02.total_variation",
    "This is one number for the whole batch. Each image is optimised for itself and pays for itself: keep axis 0.",
)
def averages_over_the_batch(images):
    below, right = _differences(images)
    return below.abs().mean() + right.abs().mean()


@misconception(
    "02.total_variation",
    "`roll` compares the last row with the first one, which are no neighbours: an image would pay for being dark "
    "above and bright below.",
)
def wraps_around(images):
    below = (images.roll(-1, dims=2) - images).abs().mean(dim=(1, 2, 3))
    return below + (images.roll(-1, dims=3) - images).abs().mean(dim=(1, 2, 3))


@misconception(
    "02.total_variation",
    "The differences are squared. Squares forgive small ripples and punish a single sharp edge most; here it is "
    "absolute differences.",
)
def squares(images):
    below, right = _differences(images)
    return below.square().mean(dim=(1, 2, 3)) + right.square().mean(dim=(1, 2, 3))


@misconception(
    "02.total_variation",
    "The absolute value is missing: up and down cancel, and what is left is the far edge minus the near one.",
)
def lets_up_and_down_cancel(images):
    below, right = _differences(images)
    return below.mean(dim=(1, 2, 3)) + right.mean(dim=(1, 2, 3))


@misconception(
    "02.total_variation",
    "These are sums. A sum grows with the image, so the same weight would be four times as strict at twice the "
    "size: take means.",
)
def sums_differences(images):
    below, right = _differences(images)
    return below.abs().sum(dim=(1, 2, 3)) + right.abs().sum(dim=(1, 2, 3))


@misconception(
    "02.total_variation",
    "Only neighbours in one direction are compared: stripes along that direction would be free of charge.",
)
def looks_one_way_only(images):
    return _differences(images)[1].abs().mean(dim=(1, 2, 3))


# ---------------------------------------------------------------- maximize


def _loop(parameters, image, transform, score, steps, learning_rate, generator, *, sign=1.0, clear=True, note=None):
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, maximize=True)
    history = []
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        scores = score(transform(image(), generator))
        (sign * scores.sum()).backward()
        optimizer.step()
        history.append((note or (lambda scores: scores.detach()))(scores))
    return torch.stack(history)


@misconception(
    "02.render",
    "The scores fall: this goes downhill. Adam minimises unless told otherwise; give it maximize=True.",
)
def minimises(parameters, image, transform, score, *, steps, learning_rate, generator):
    return _loop(parameters, image, transform, score, steps, learning_rate, generator, sign=-1.0)


@misconception(
    "02.render",
    "Gradients pile up: `backward` adds to what is there. Clear them (optimizer.zero_grad()) in every step, or "
    "old directions keep pulling.",
)
def never_clears_gradients(parameters, image, transform, score, *, steps, learning_rate, generator):
    return _loop(parameters, image, transform, score, steps, learning_rate, generator, clear=False)


@misconception(
    "02.render",
    "The transform is never called, so the drawing need not survive anything. Score what the transform returns.",
)
def forgets_the_transform(parameters, image, transform, score, *, steps, learning_rate, generator):
    return _loop(parameters, image, lambda images, generator: images, score, steps, learning_rate, generator)


@misconception(
    "02.render",
    "The image was made once, before the loop. After the first step the parameters are new and the image is old: "
    "call image() in every step.",
)
def makes_the_image_once(parameters, image, transform, score, *, steps, learning_rate, generator):
    first = image()
    return _loop(parameters, lambda: first, transform, score, steps, learning_rate, generator)


@misconception(
    "02.render",
    "The transform got a generator of its own. Then neither the seed nor the caller decides what is drawn: hand "
    "on the one that was given.",
)
def makes_its_own_generator(parameters, image, transform, score, *, steps, learning_rate, generator):
    own = torch.Generator().manual_seed(0)
    return _loop(parameters, image, transform, score, steps, learning_rate, own)


@misconception(
    "02.render",
    "The history has one number a step, the mean of the batch. Keep one number per image: (steps, batch).",
)
def notes_the_mean(parameters, image, transform, score, *, steps, learning_rate, generator):
    note = lambda scores: scores.detach().mean()  # noqa: E731
    return _loop(parameters, image, transform, score, steps, learning_rate, generator, note=note)


@misconception(
    "02.render",
    "The history still hangs on the gradient: every step's graph stays in memory. Note scores.detach().",
)
def keeps_every_graph(parameters, image, transform, score, *, steps, learning_rate, generator):
    return _loop(parameters, image, transform, score, steps, learning_rate, generator, note=lambda scores: scores)


@misconception(
    "02.render",
    "This is plain gradient ascent: where the score is steep it overshoots, where it is gentle it hardly moves. "
    "Adam gives every number a step of its own size.",
)
def climbs_without_adam(parameters, image, transform, score, *, steps, learning_rate, generator):
    optimizer = torch.optim.SGD(parameters, lr=learning_rate, maximize=True)
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        scores = score(transform(image(), generator))
        scores.sum().backward()
        optimizer.step()
        history.append(scores.detach())
    return torch.stack(history)


@misconception(
    "02.render",
    "Only the first of the parameters is changed. The optimiser takes the whole list.",
)
def changes_the_first_only(parameters, image, transform, score, *, steps, learning_rate, generator):
    return _loop(parameters[:1], image, transform, score, steps, learning_rate, generator)
