#!/usr/bin/python3
"""A genomic relationship matrix from genotypes.

    relationship.py -regtest ...      options of fornax-cli
    relationship.py -regtest ... FILE.vcf.gz

Reads how many copies of the second allele (0, 1 or 2) each person has at each site, from the VCF file of the Debian package
bio-eagle-examples (379 Europeans of the 1000 Genomes Project, 2,000 sites of chromosome 21), and has the product G G' of these
numbers computed, which is exact. VanRaden's matrix, (G - 2p)(G - 2p)' / 2 sum p(1 - p), differs from that by sums of rows only.
"""
import gzip
import sys

import numpy

import fornaxjob

DATA = '/usr/share/doc/bio-eagle/examples/EUR_test.vcf.gz'


def read_genotypes(path):
    """(names of the persons, persons x sites)."""
    rows, names = [], None
    with gzip.open(path, 'rt') as file:
        for line in file:
            if line.startswith('#CHROM'):
                names = line.split()[9:]
            elif not line.startswith('#'):
                calls = [call.split(':', 1)[0].replace('|', '/') for call in line.split()[9:]]
                rows.append([call.count('1') for call in calls])
    return names, numpy.array(rows, numpy.int8).T


def main():
    words = [word for word in sys.argv[1:] if not word.startswith('-')]
    names, g = read_genotypes(words[0] if words else DATA)
    p = g.mean(axis=0) / 2
    keep = (p > 0) & (p < 1)
    g, p = numpy.ascontiguousarray(g[:, keep]), p[keep]

    shared, = fornaxjob.multiply([(g, g.T)])

    mean = g.astype(float) @ (2 * p)
    related = (shared - mean[:, None] - mean[None, :] + 4 * (p @ p)) / (2 * (p @ (1 - p)))
    centred = g - 2 * p
    check = centred @ centred.T / (2 * (p @ (1 - p)))
    wrong = int((shared != g.astype(numpy.int32) @ g.T.astype(numpy.int32)).sum())
    off = float(numpy.abs(related - check).max())
    pairs = numpy.triu(related, 1)
    first, second = numpy.unravel_index(pairs.argmax(), pairs.shape)
    print('Persons: %d, sites that vary: %d' % g.shape)
    print('Entries that differ from numpy: %d of %d; of the relationship matrix by at most %.1e' % (wrong, shared.size, off))
    print('Mean of the diagonal (1 and a little for people who are not inbred): %.4f' % numpy.diag(related).mean())
    print('Most related pair: %s and %s, %.3f' % (names[first], names[second], pairs[first, second]))
    if wrong or off > 1e-9:
        raise SystemExit('the result is wrong')


if __name__ == '__main__':
    main()
