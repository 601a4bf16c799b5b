"""What a token may be for. An account's session is for everything that the account may do."""

SUBMIT = "submit"
READ = "read"
WORK = "work"
ADMIN = "admin"

SCOPES = {
    SUBMIT: "Submit jobs and change one's own.",
    READ: "Read one's own jobs.",
    WORK: "Lease jobs and do them, as a worker.",
    ADMIN: "What staff may do: everybody's jobs, pools, the dead letter. Only counts for staff.",
}
# What no token is given by name: to have said who one is; to have done so by password, in a page or
# by the token of a login. What would let a token give itself more takes the second.
SIGNED_IN = "signed in"
LOGIN = "login"
# What somebody may who has not said who he is, where ALLOW_ANONYMOUS is on.
OF_ANYBODY = frozenset({SUBMIT, READ})
