"""Merkle trees, proofs and tile paths: RFC 6962 section 2.1, RFC 9162 section 2.1, spec/log.md."""

import hashlib
import re


class ProofError(ValueError):
    """The proof is not valid for the given tree."""


def sha256(data):
    return hashlib.sha256(data).digest()


EMPTY_ROOT = sha256(b"")


def leaf_hash(record_hash):
    return sha256(b"\x00" + record_hash)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


class Tree:
    """Computes the root of a growing tree. Keeps one hash per level."""

    def __init__(self):
        self.size = 0
        self._roots = []  # (height, hash), heights descending

    def append(self, leaf):
        height = 0
        while self._roots and self._roots[-1][0] == height:
            leaf = node_hash(self._roots.pop()[1], leaf)
            height += 1
        self._roots.append((height, leaf))
        self.size += 1

    def root(self):
        root = None
        for _, left in reversed(self._roots):
            root = left if root is None else node_hash(left, root)
        return EMPTY_ROOT if root is None else root


def _check_hashes(hashes):
    if any(len(one) != 32 for one in hashes):
        raise ProofError("a hash must have 32 bytes")


def check_inclusion(index, size, leaf, proof, root):
    """Checks an inclusion proof: RFC 9162 section 2.1.3.2."""
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError("the leaf is outside the tree")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise ProofError("the proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or r != root:
        raise ProofError("the hashes lead to another root")


def gap(begin, end):
    """The heights of the perfect subtrees that make up the leaves from begin to end, from left to right: spec/log.md."""
    heights = []
    while begin < end:
        height = 0
        while begin % (2 << height) == 0 and begin + (2 << height) <= end:
            height += 1
        heights.append(height)
        begin += 1 << height
    return heights


class Multiproof:
    """Checks a multiproof from left to right. Keeps one hash per level, whatever the number of leaves."""

    def __init__(self, size):
        self.size = size
        self._covered = 0
        self._leaves = 0
        self._roots = []  # (height, hash), heights descending

    def hashes_before(self, index):
        if not self._covered <= index < self.size:
            raise ProofError("the leaves do not ascend, or are outside the tree")
        return len(gap(self._covered, index))

    def hashes_after(self):
        return len(gap(self._covered, self.size))

    def add(self, index, leaf, hashes):
        """Takes the next leaf, and the hashes before it."""
        self.hashes_before(index)
        self._fill(gap(self._covered, index), hashes)
        self._append(0, leaf)
        self._leaves += 1

    def root(self, hashes):
        """Takes the hashes after the last leaf."""
        if self._leaves == 0:
            raise ProofError("no leaf is proven")
        self._fill(gap(self._covered, self.size), hashes)
        root = self._roots[-1][1]
        for _, left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root

    def _fill(self, heights, hashes):
        if len(heights) != len(hashes):
            raise ProofError("the proof is too long or too short")
        for height, one in zip(heights, hashes):
            self._append(height, one)

    def _append(self, height, one):
        _check_hashes([one])
        self._covered += 1 << height
        while self._roots and self._roots[-1][0] == height:
            one = node_hash(self._roots.pop()[1], one)
            height += 1
        self._roots.append((height, one))


def check_multiproof(indexes, size, leaves, proof, root):
    """Checks that the tree contains all the leaves: spec/log.md, "Several leaves"."""
    check, rest = Multiproof(size), list(proof)

    def take(count):
        taken, rest[:] = rest[:count], rest[count:]
        return taken

    for index, leaf in zip(indexes, leaves):
        check.add(index, leaf, take(check.hashes_before(index)))
    if check.root(take(check.hashes_after())) != root or rest:
        raise ProofError("the hashes lead to another root, or there are too many")


def check_consistency(first, second, proof, first_root, second_root):
    """Checks a consistency proof: RFC 9162 section 2.1.4.2. The empty tree is consistent with every tree, with an empty proof."""
    _check_hashes([first_root, second_root, *proof])
    if not 0 <= first <= second:
        raise ProofError("the first tree is larger")
    if first == 0 or first == second:
        if proof or first_root != (EMPTY_ROOT if first == 0 else second_root):
            raise ProofError("the roots differ, or the proof is too long")
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise ProofError("the proof is too short")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise ProofError("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or fr != first_root or sr != second_root:
        raise ProofError("the hashes lead to another root")


_tile_path = re.compile(r"([0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def parse_tile_path(path):
    """Returns (level, index, width), or None for a malformed path."""
    match = _tile_path.fullmatch(path)
    if not match:
        return None
    groups = match[2].replace("x", "").split("/")
    if len(groups) > 1 and groups[0] == "000" or len(groups) > 5:
        return None
    width = 256 if match[3] is None else int(match[3])
    if match[3] is not None and width > 255:
        return None
    return int(match[1]), int("".join(groups)), width
