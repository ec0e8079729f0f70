# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-calibrate,calibrate,lib/store lib/core liballot,gsl))
