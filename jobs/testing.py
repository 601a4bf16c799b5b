"""For the tests of those who write job types: run one without a queue, or work off a queue.

    outcome = run(send_email, parameters={...})          # no database
    [job] = work_off()                                   # what was submitted, in the test's thread
"""
