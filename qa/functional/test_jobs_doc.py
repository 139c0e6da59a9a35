#!/usr/bin/python3
"""Runs doc/jobs.md: types what the page types, and compares the answers with what it promises."""
from test_regtest_doc import TestRegtestDoc


class TestJobsDoc(TestRegtestDoc):
    page, least = 'doc/jobs.md', 25


if __name__ == '__main__':
    TestJobsDoc().main()
