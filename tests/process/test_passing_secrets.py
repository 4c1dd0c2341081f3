"""Secrets that are used for a while are masked, and their number stays bounded."""

from pipeline.process import peer_words
from pipeline.process.peer_words import keep_passing_secret


def test_the_last_two_of_a_holder_are_masked_and_none_before_them():
    before = peer_words._compiled().pattern
    for number in range(500):
        keep_passing_secret("a holder", f"session-{number:03}-of-it")
    keep_passing_secret("another", "session-of-another")
    said = peer_words.peer_words("session-497-of-it session-498-of-it session-499-of-it")
    assert said == "session-497-of-it [secret] [secret]"
    assert peer_words.peer_words("a session-of-another") == "a [secret]"
    assert len(peer_words._compiled().pattern) < len(before) + 5_000


def test_the_same_one_again_leaves_the_one_before_it():
    for secret in ("first-of-two", "second-of-two", "second-of-two"):
        keep_passing_secret("a third holder", secret)
    assert peer_words.peer_words("first-of-two second-of-two") == "[secret] [secret]"


def test_last_words_that_are_logged_while_the_pattern_is_made_do_not_wait_for_it():
    """A destructor logs in the thread that it interrupts, which may have the lock."""
    with peer_words._lock:
        keep_passing_secret("a fourth holder", "secret-of-a-destructor")
        assert peer_words.peer_words("a secret-of-a-destructor") == "a [secret]"
