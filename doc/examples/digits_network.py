#!/usr/bin/python3
"""Inference with a neural network of one-byte weights, all images of a batch in one product a layer.

    digits_network.py -regtest ...      options of fornax-cli

Trains a network of one hidden layer on handwritten digits (1,797 images of 8 x 8, from python3-sklearn), rounds its weights to the
integers from -64 to 63, and has the test images classified: each layer is a job, what comes between them is done here. The result
is compared with numpy's, and the accuracy with that of the network before it was rounded.
"""
import numpy
from sklearn.datasets import load_digits

import fornaxjob

HIDDEN, STEPS, RATE = 64, 300, 0.5
TOP = 63  # largest entry that a job-lane block can be mined with


def train(x, labels):
    """Weights of both layers, the bias in the last row; plain gradient descent, the same every time."""
    chance = numpy.random.default_rng(1)
    w1 = chance.normal(0, 0.2, (x.shape[1] + 1, HIDDEN))
    w2 = chance.normal(0, 0.2, (HIDDEN + 1, 10))
    wanted = numpy.eye(10)[labels]
    for _ in range(STEPS):
        one = with_ones(x, 1)
        hidden = with_ones(numpy.maximum(one @ w1, 0), 1)
        score = hidden @ w2
        score = numpy.exp(score - score.max(axis=1, keepdims=True))
        error = (score / score.sum(axis=1, keepdims=True) - wanted) / len(x)
        back = (error @ w2[:-1].T) * (hidden[:, :-1] > 0)
        w2 -= RATE * (hidden.T @ error)
        w1 -= RATE * (one.T @ back)
    return w1, w2


def with_ones(x, one):
    return numpy.hstack([x, numpy.full((len(x), 1), one, x.dtype)])


def round_weights(w):
    return numpy.clip(numpy.rint(w / numpy.abs(w).max() * TOP), -TOP, TOP).astype(numpy.int8)


def between(sums, shift):
    """What the first layer hands to the second: not negative, and small enough again."""
    return with_ones(numpy.minimum(numpy.maximum(sums, 0) >> shift, TOP).astype(numpy.int8), 1)


def main():
    images, labels = load_digits(return_X_y=True)
    images = images.astype(numpy.int8)  # 0 to 16
    seen, asked = slice(0, 1000), slice(1000, None)
    w1, w2 = train(images[seen] / 16, labels[seen])
    exact = (with_ones(numpy.maximum(with_ones(images[asked] / 16, 1) @ w1, 0), 1) @ w2).argmax(axis=1)

    # The bias counts for an input of 1, which is 16 here. A hidden value of 1 is 16 * TOP / max|w1|, so the bias of the second
    # layer is scaled with it, as far as an entry goes.
    q1 = round_weights(w1)
    peak = int((with_ones(images[seen], 16).astype(numpy.int32) @ q1).max())
    shift = max(0, (peak // (TOP + 1)).bit_length())
    unit = 16 * TOP / numpy.abs(w1).max() / 2 ** shift
    q2 = round_weights(numpy.vstack([w2[:-1], w2[-1:] * unit]))

    x = with_ones(images[asked], 16)
    sums, = fornaxjob.multiply([(x, q1)])
    hidden = between(sums, shift)
    scores, = fornaxjob.multiply([(hidden, q2)])

    check1 = x.astype(numpy.int32) @ q1
    check2 = between(check1, shift).astype(numpy.int32) @ q2
    wrong = int((sums != check1).sum() + (scores != check2).sum())
    right = int((scores.argmax(axis=1) == labels[asked]).sum())
    print('Layers: %d x %d x %d and %d x %d x %d' % (*x.shape, q1.shape[1], *hidden.shape, q2.shape[1]))
    print('Entries that differ from numpy: %d of %d' % (wrong, sums.size + scores.size))
    print('Digits classified right: %d of %d (before rounding: %d)' % (right, len(x), int((exact == labels[asked]).sum())))
    if wrong or right < 0.85 * len(x):
        raise SystemExit('the result is wrong')


if __name__ == '__main__':
    main()
