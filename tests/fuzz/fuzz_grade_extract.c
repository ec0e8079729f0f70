/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction: what it finds lies in the text and is not too long, whatever the preset. */
#include <assert.h>
#include "lib/extract/extract.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data, *start;
    size_t len;
    for (int preset = ALLOT_PRESET_MATH; preset <= ALLOT_PRESET_CHOICE; preset++) {
        const allot_grade_options o = {.extract = (allot_extract_preset)preset};
        if (allot_extract(text, n, &o, &start, &len) == ALLOT_EXTRACT_NONE) continue;
        assert(start >= text && start + len <= text + n && len > 0 && len <= ALLOT_ANSWER_MAX);
    }
    if (allot_reference(text, n / 2, text + n / 2, n - n / 2, &start, &len))
        assert(start >= text && start + len <= text + n && len > 0);
    return 0;
}
