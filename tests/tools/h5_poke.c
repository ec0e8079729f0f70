/* SPDX-License-Identifier: Apache-2.0 */
/* usage: h5_poke FILE.h5 ARRAY INDEX VALUE   puts a number (nan, inf, -1, ...) into an array of an
 * HDF5 file, which our own writers would refuse; INDEX counts from 0 over the whole array. VALUE @I
 * is what stands at index I. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    hid_t file = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t array = H5Dopen2(file, argv[2], H5P_DEFAULT);
    hid_t space = H5Dget_space(array);
    hssize_t n = H5Sget_simple_extent_npoints(space), at = atol(argv[3]);
    double *numbers = n > at && at >= 0 ? calloc((size_t)n, sizeof *numbers) : NULL;
    int failed =
        !numbers || H5Dread(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0;
    if (!failed) {
        numbers[at] = *argv[4] == '@' ? numbers[atol(argv[4] + 1)] : atof(argv[4]);
        failed = H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0;
    }
    free(numbers);
    H5Sclose(space);
    H5Dclose(array);
    return H5Fclose(file) < 0 || failed;
}
