"""What recording and handling do to a micrograph: one module per effect, and chains of them for whole images.

Every effect is a frozen dataclass of ranges with two functions: ``sample`` draws the parameters of a batch of images,
``apply`` imposes given parameters on images of shape (N, 1, Y, X). Parameters are small tensors, one row per image;
where an effect needs a field of noise, its parameter is the 64-bit key that the field follows from
(:mod:`emrestore.distort.noise`). So a distorted image is its clean image plus a row of a table.

Between exposure and digitisation images are in electrons per pixel, before and after in the units of the clean image.
Axis -1 is the fast scan axis, axis -2 the slow one; pixel centres lie at whole coordinates.
"""
