# Stands before a sample: its two addresses on the web become the server and a picture on disk.
curl() {
  local given=("${@//https:\/\/generativelanguage.googleapis.com/$GOOGLE_GEMINI_BASE_URL}")
  command curl "${given[@]//https:\/\/goo.gle\/instrument-img/file:\/\/$PICTURE}"
}
