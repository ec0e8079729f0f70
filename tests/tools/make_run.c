/* SPDX-License-Identifier: Apache-2.0 */
/* usage: make_run run|timing DIR [HARM]...   writes the invented run or timing of
 * tests/runfixture.h. HARM: reversed, duplicates, torn, other-cfg, lost-samples, lost-scores,
 * foreign, slower. */
#include "tests/runfixture.h"

int main(int argc, char **argv)
{
    fixture_harm harm = {0};
    if (argc < 3) return 2;
    for (int i = 3; i < argc; i++) {
        const struct {
            const char *name;
            int *flag;
        } flags[] = {{"reversed", &harm.reversed},
                     {"duplicates", &harm.duplicates},
                     {"torn", &harm.torn},
                     {"other-cfg", &harm.other_cfg},
                     {"lost-samples", &harm.lost_samples},
                     {"lost-scores", &harm.lost_scores},
                     {"foreign", &harm.foreign}};
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if (strcmp(argv[i], flags[k].name) == 0) *flags[k].flag = 1;
        if (strcmp(argv[i], "slower") == 0) harm.slower = 1;
    }
    if (strcmp(argv[1], "timing") == 0) fixture_timing(argv[2], &harm);
    else fixture_run(argv[2], &harm);
    return 0;
}
