"""Why a version keeps the zero-shot watch model. Stored with its figures in English; pages translate it. No torch."""

from annotation.language import gettext_noop

FEW_OF_ONE_KIND = gettext_noop("there are fewer than %(labels)s labels of one kind")
FEW_LABELS = gettext_noop("there are fewer than %(labels)s labels")
LOWER_F1 = gettext_noop("its F1 on held-out photos is %(learned)s, and that of the zero-shot model %(before)s")
