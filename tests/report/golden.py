"""The last lines, word for word."""

GOLDEN: dict[str, str] = {
    "0 first": """
autumn-catalogue: complete, all 8 pictures are there               run 1, exit 0
  stored            8 of 8                                                6h 58m
  money        spent $0.96 this run and in all
  safe to run again: yes, there is nothing left to buy
  8 pictures in /abs/outputs/autumn-catalogue
""",
    "0 nothing to do": """
autumn-catalogue: complete, all 8 pictures are there                      exit 0
  stored            8 of 8
  money        spent $0.96 in all
  safe to run again: yes, there is nothing left to buy
  8 pictures in /abs/outputs/autumn-catalogue
""",
    "0 none asked for": """
autumn-catalogue: complete, no picture is asked for                       exit 0
  money        spent $0.96 in all
  safe to run again: yes, there is nothing left to buy
""",
    "0 no journal": """
batchgen: done                                                            exit 0
  safe to run again: yes, there is nothing left to buy
""",
    "1": """
autumn-catalogue: finished, 11 pictures are missing                run 3, exit 1
  stored       49,989 of 50,000                                           6h 58m
  refused          11  content policy; not billed
  money        spent $0.96 this run and in all
  safe to run again: yes, it buys only what is missing
  next         batchgen status autumn.yaml                           what failed
""",
    "2": """
batchgen: nothing was sent; mend this first                               exit 2
  autumn.yaml:14:8: unknown key `promt`; did you mean `prompt`?
  safe to run again: yes, nothing was sent
  next         batchgen run autumn.yaml
""",
    "3": """
autumn-catalogue: finished, 6 payments are in doubt                run 3, exit 3
  stored       49,983 of 50,000                                           6h 58m
  refused          11  content policy; not billed
  in doubt          6  no answer to the submit; at most $0.42
  money        spent $3,888.61 this run and in all; $0.42 in doubt
  safe to run again: yes, it buys only what is missing
  next         batchgen resolve autumn.yaml                          6 to decide
""",
    "4": """
autumn-catalogue: stopped; a person must act                       run 3, exit 4
  the provider answered 402: the account has no funds; top it up, then run
  the same command again
  stored            5 of 8                                                6h 58m
  unfinished        3  1 at the provider, 2 not sent
  money        spent $0.96 this run, $9.60 in all; $0.12 at risk
  safe to run again: yes, once that is mended; it buys only what is missing
  next         batchgen run autumn.yaml
""",
    "5": """
batchgen: stopped; the journal is not usable                              exit 5
  the journal is damaged at row 17; put a copy back
  safe to run again: no, not before the line above is acted on
  next         act on the line above; move and delete nothing
""",
    "70": """
batchgen: stopped by a mistake in batchgen itself                        exit 70
  ZeroDivisionError, not foreseen
  safe to run again: yes, it goes on where it stopped
  next         batchgen run 'my look.yaml' --max-pictures 5
""",
    "75": """
autumn-catalogue: not finished; nothing is wrong                  run 3, exit 75
  3 pictures are not finished
  stored            5 of 8                                                6h 58m
  unfinished        3  3 not sent
  money        spent $0.96 this run and in all
  safe to run again: yes, later; it goes on where it stopped
  next         batchgen run autumn.yaml
""",
    "130": """
autumn-catalogue: interrupted                                    run 3, exit 130
  interrupted by Ctrl-C
  stored            5 of 8                                                6h 58m
  unfinished        3  1 at the provider, 2 not sent
  money        spent $0.96 this run and in all
  safe to run again: yes, it goes on where it stopped
  next         batchgen run autumn.yaml
""",
    "143": """
autumn-catalogue: terminated                                     run 3, exit 143
  stored            7 of 8  2 kept as they were                           6h 58m
  unfinished        1  1 at the provider
  money        spent $0.96 this run and in all
  safe to run again: yes, it goes on where it stopped
  next         batchgen run autumn.yaml
""",
    "unpriced": """
autumn-catalogue: finished, 1 picture is missing                   run 3, exit 1
  stored            7 of 8                                                6h 58m
  refused          11  content policy; not billed
  money        price unknown, of 8 attempts
  safe to run again: yes, it buys only what is missing
  next         batchgen status autumn.yaml                           what failed
""",
}
