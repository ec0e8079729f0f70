# SPDX-License-Identifier: Apache-2.0
$(eval $(call program,allot-calibrate,calibrate,core liballot,gsl))
