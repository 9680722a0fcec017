// Owns the precompiled GoogleTest header (CMakeLists.txt); it has no code of its own.
