lower(email)
