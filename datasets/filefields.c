/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the schema of an HDF5 or JSON file, and prints a JSON object as aligned lines. */
#include "datasets/filefields.h"
#include <stdio.h>
#include <stdlib.h>
#include "lib/store/h5.h"

allot_code allot_fields_schema(const char *path, char **schema, allot_err *err)
{
    allot_h5 *h = NULL;
    allot_code rc = allot_h5_open(path, NULL, (allot_versions){0}, &h, err);
    if (!rc) rc = allot_h5_get_text(h, "schema", schema, err);
    allot_h5_close(&h);
    return rc;
}

/* An array of flat objects. */
static void print_table(const cJSON *rows)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *cell;
        cJSON_ArrayForEach(cell, row)
        {
            if (cJSON_IsString(cell)) printf("  %-20s", cell->valuestring);
            else if (cJSON_IsNumber(cell)) printf("  %s %-9.5g", cell->string, cell->valuedouble);
        }
        printf("\n");
    }
}

void allot_fields_print(const cJSON *o)
{
    const cJSON *f;
    cJSON_ArrayForEach(f, o)
    {
        if (cJSON_IsArray(f) && cJSON_IsObject(f->child)) {
            printf("%s:\n", f->string);
            print_table(f);
        } else if (cJSON_IsString(f)) {
            printf("%s: %s\n", f->string, f->valuestring);
        } else {
            char *text = cJSON_PrintUnformatted(f);
            printf("%s: %s\n", f->string, text ? text : "?");
            free(text);
        }
    }
}
