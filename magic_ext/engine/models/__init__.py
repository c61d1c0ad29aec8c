"""The models that can stand behind the embedded engine, all behind one small protocol (:mod:`.base`)."""
