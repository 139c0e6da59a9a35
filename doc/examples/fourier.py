#!/usr/bin/python3
"""A discrete Fourier transform as one product: the spectra of images.

    fourier.py -regtest ...      options of fornax-cli

The two-dimensional transform of an 8 x 8 image is a linear map of its 64 pixels, so the spectra of all 1,797 handwritten digits of
python3-sklearn are one product with a matrix of cosines and sines. The pixels are integers, the matrix is float32: it is multiplied
with a scale and rounded, and the quote says how far an entry of the result can be off. The result is compared with numpy.fft.fft2.
"""
import numpy
from sklearn.datasets import load_digits

import fornaxjob

SIDE, SCALE = 8, 2.0 ** 19  # entries up to 1: three limbs


def transform():
    """64 x 128: cosines, then minus sines, of the transform of a row of pixels."""
    turn = numpy.exp(-2j * numpy.pi * numpy.outer(numpy.arange(SIDE), numpy.arange(SIDE)) / SIDE)
    both = numpy.kron(turn, turn)
    return numpy.hstack([both.real, both.imag]).astype(numpy.float32)


def main():
    images = load_digits().data.astype(numpy.int8)  # 0 to 16
    matrix = transform()

    out, = fornaxjob.multiply([(images, matrix)], '--scale=%r' % SCALE)

    pixels = SIDE * SIDE
    spectra = out[:, :pixels] + 1j * out[:, pixels:]
    check = numpy.fft.fft2(images.reshape(-1, SIDE, SIDE).astype(float)).reshape(-1, pixels)
    # Of the scaled matrix an entry is off by half at most, and float32 has it to 2^-25; a pixel is at most 16.
    bound = pixels * 16 * (0.5 / SCALE + 2.0 ** -25)
    off = float(max(numpy.abs((spectra - check).real).max(), numpy.abs((spectra - check).imag).max()))
    power = (numpy.abs(spectra) ** 2).mean(axis=0).reshape(SIDE, SIDE)
    low = power[0, 0] + power[0, 1] + power[1, 0] + power[0, -1] + power[-1, 0]
    print('Spectra: %d, of %d frequencies each' % spectra.shape)
    print('Largest difference from numpy: %.2e (at most %.2e is right)' % (off, bound))
    print('Power in the mean and the slowest waves along a side: %.1f %%' % (100 * low / power.sum()))
    if off > bound:
        raise SystemExit('the result is wrong')


if __name__ == '__main__':
    main()
